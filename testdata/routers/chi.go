package routers

import (
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/xsrf"
)

func withChi(auth *glue.Auth, guard *xsrf.Guard, app http.Handler) http.Handler {
	r := chi.NewRouter()
	r.Use(guard.Protect)
	r.HandleFunc("/logout", auth.Logout)
	r.Route("/private", func(r chi.Router) {
		r.Use(auth.Require, guard.Check, guard.Send)
		r.Handle("/*", app)
	})
	return r
}
