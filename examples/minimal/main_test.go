package main

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/ucam-webauth/go-webauth/glue"
)

// A handler behind Require is tested without any login.
func TestHello(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r = r.WithContext(glue.WithIdentity(r.Context(), glue.Identity{Principal: "spqr1"}))
	w := httptest.NewRecorder()
	hello(w, r)
	assert.Equal(t, http.StatusOK, w.Code)
	assert.Equal(t, "Hello, spqr1.\n", w.Body.String())
}
