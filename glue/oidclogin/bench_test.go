package oidclogin_test

import (
	"fmt"
	"testing"

	"github.com/ucam-webauth/go-webauth/webauth"
)

// BenchmarkAnswer is a whole login but for what the browser does: the request, and its answer with
// one call of a token endpoint on loopback, which signs.
func BenchmarkAnswer(b *testing.B) {
	s := newSite(b)
	n := 0
	for b.Loop() {
		n++
		if _, err := s.answer(b, s.begin(b, webauth.Request{})+fmt.Sprint(n)); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkBegin is the request alone.
func BenchmarkBegin(b *testing.B) {
	s := newSite(b)
	for b.Loop() {
		if _, err := s.login.Begin(b.Context(), s.secret, webauth.Request{URL: page}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRefusal is an answer with a state that was not made here, as anybody can send.
func BenchmarkRefusal(b *testing.B) {
	s := newSite(b)
	query := "code=a&state=A" + s.begin(b, webauth.Request{})[len("state="):]
	for b.Loop() {
		if _, err := s.login.Answer(b.Context(), webauth.Arrival{Path: callback, Query: query, Secret: s.secret}); err == nil {
			b.Fatal("accepted")
		}
	}
}
