package routers

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/xsrf"
)

func withEcho(auth *glue.Auth, guard *xsrf.Guard, app http.Handler) http.Handler {
	e := echo.New()
	e.Use(echo.WrapMiddleware(guard.Protect))
	e.Any("/logout", echo.WrapHandler(http.HandlerFunc(auth.Logout)))
	private := e.Group("/private", echo.WrapMiddleware(auth.Require), echo.WrapMiddleware(guard.Check), echo.WrapMiddleware(guard.Send))
	private.Any("/*", echo.WrapHandler(app))
	return e
}
