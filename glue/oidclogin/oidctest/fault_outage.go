package oidctest

import (
	"net/http"
	"strings"
)

// hugeAnswer is how long an answer is that is huge.
const hugeAnswer = 64 << 20

// outages are the ways in which any endpoint that a site asks itself can fail.
func outages(at Endpoint, down, closed, slow, html, garbage, huge, redirect Fault) []named {
	return []named{
		{down, sent(at, func(_ *Provider, rw http.ResponseWriter, _ *http.Request, body []byte) {
			rw.WriteHeader(http.StatusServiceUnavailable)
			_, _ = rw.Write(body)
		})},
		{closed, sent(at, func(*Provider, http.ResponseWriter, *http.Request, []byte) {
			panic(http.ErrAbortHandler) // how net/http is told to close the connection
		})},
		{slow, sent(at, func(p *Provider, rw http.ResponseWriter, r *http.Request, body []byte) {
			if p.wait(r.Context(), p.slowFor) {
				_, _ = rw.Write(body)
			}
		})},
		{html, sent(at, func(_ *Provider, rw http.ResponseWriter, _ *http.Request, _ []byte) {
			rw.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = rw.Write([]byte("<!doctype html><title>Sign in to the Wi-Fi</title>"))
		})},
		{garbage, sent(at, func(_ *Provider, rw http.ResponseWriter, _ *http.Request, body []byte) {
			_, _ = rw.Write(body[:len(body)/2])
		})},
		{huge, sent(at, func(_ *Provider, rw http.ResponseWriter, _ *http.Request, body []byte) {
			// Right, if somebody has the patience: blanks may stand before a JSON text.
			blanks := []byte(strings.Repeat(" ", 1<<16))
			for range hugeAnswer / len(blanks) {
				if _, err := rw.Write(blanks); err != nil {
					return
				}
			}
			_, _ = rw.Write(body)
		})},
		{redirect, sent(at, func(p *Provider, rw http.ResponseWriter, r *http.Request, body []byte) {
			if r.URL.RawQuery != "" {
				_, _ = rw.Write(body)
				return
			}
			http.Redirect(rw, r, p.issuer+r.URL.Path+"?here", http.StatusTemporaryRedirect)
		})},
	}
}

// sent sends an answer in another way.
func sent(at Endpoint, serve func(*Provider, http.ResponseWriter, *http.Request, []byte)) effect {
	return effect{at: at, serve: serve}
}
