package glue

import (
	"mime"
	"net/http"
	"strings"
)

// isNavigation tells a person who opens a page from everything else that a browser
// sends: only the former may be sent to log in. HEAD is never one.
func isNavigation(r *http.Request) bool {
	return r.Method == http.MethodGet && navigates(r)
}

// isFormPost tells a form that a person sent, with a page to show the answer on.
func isFormPost(r *http.Request) bool {
	return r.Method == http.MethodPost && navigates(r)
}

func navigates(r *http.Request) bool {
	h := r.Header
	if h.Get("Sec-Purpose") != "" || h.Get("Purpose") == "prefetch" {
		return false // nobody is looking
	}
	mode, dest := h.Get("Sec-Fetch-Mode"), h.Get("Sec-Fetch-Dest")
	if mode != "" || dest != "" || h.Get("Sec-Fetch-Site") != "" {
		return mode == "navigate" && dest == "document"
	}
	// Old browsers, and plain http, where none of the three is sent.
	return acceptsHTML(h.Get("Accept"))
}

func acceptsHTML(accept string) bool {
	for part := range strings.SplitSeq(accept, ",") {
		if t, _, err := mime.ParseMediaType(part); err == nil && t == "text/html" {
			return true
		}
	}
	return false
}

// tellsOrigin reports whether the browser says where a request comes from. An Origin
// of "null" says nothing: browsers without Sec-Fetch-Site, and all of them on plain
// http, send it from our own pages, because those ask for no referrer.
func tellsOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	return r.Header.Get("Sec-Fetch-Site") != "" || origin != "" && origin != "null"
}

// fromSameOrigin reports whether a request that changes something was sent by a page
// of this very origin, as the browser tells. One that tells nothing was not.
func fromSameOrigin(r *http.Request, p *place) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" {
		return site == "same-origin"
	}
	return r.Header.Get("Origin") == p.origin
}

// fromOtherOrigin reports whether a page of another origin sent a person here, or had a
// hand in it by a redirect, as far as the browser tells.
func fromOtherOrigin(r *http.Request) bool {
	from := r.Header.Get("Sec-Fetch-Site")
	return from == "cross-site" || from == "same-site"
}
