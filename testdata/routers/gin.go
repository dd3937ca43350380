package routers

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/xsrf"
)

// ginMiddleware has gin use a middleware of net/http.
func ginMiddleware(middleware func(http.Handler) http.Handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		passed := false
		middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			passed = true
			c.Request = r
			c.Next()
		})).ServeHTTP(c.Writer, c.Request)
		if !passed {
			c.Abort()
		}
	}
}

func withGin(auth *glue.Auth, guard *xsrf.Guard, app http.Handler) http.Handler {
	r := gin.New()
	r.Use(ginMiddleware(guard.Protect))
	r.Any("/logout", gin.WrapF(auth.Logout))
	private := r.Group("/private", ginMiddleware(auth.Require), ginMiddleware(guard.Check), ginMiddleware(guard.Send))
	private.Any("/*path", gin.WrapH(app))
	return r
}
