package routers

import (
	"net/http"

	"github.com/gorilla/mux"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/xsrf"
)

func withMux(auth *glue.Auth, guard *xsrf.Guard, app http.Handler) http.Handler {
	r := mux.NewRouter()
	r.Use(guard.Protect)
	r.HandleFunc("/logout", auth.Logout)
	private := r.PathPrefix("/private/").Subrouter()
	private.Use(auth.Require, guard.Check, guard.Send)
	private.PathPrefix("/").Handler(app)
	return r
}
