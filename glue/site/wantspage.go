package site

import (
	"mime"
	"net/http"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue/internal/sender"
)

// WantsPage reports whether a person opens a page, or sends a form, in a browser and
// will see the answer: by a GET such a person may be sent to log in. Everything else,
// such as a script or a prefetch, wants a short answer and no redirect. HEAD is never one.
//
// A page that a service worker of the site fetches for its browser counts, too: what it
// passes on looks like a navigation to nowhere, or like a fetch from the site itself. Of
// such a request nothing tells for certain which page it comes from, or whether it is for
// the whole window or for a frame.
//
// XMLHttpRequest that says so (X-Requested-With), htmx, and the programs of Microsoft
// Office, which look at a link before they have a browser open it, open no page.
func WantsPage(r *http.Request) bool {
	return (r.Method == http.MethodGet || r.Method == http.MethodPost) && navigates(r)
}

// navigates is one rule for three questions, all of which a login asks: who is sent away to
// log in, whose response of the login service is believed, and whose form is kept.
//
// The answer decides how much goes on unseen, not who may log in as whom. That is up to the
// browser's cookie: whatever brings it can be led the same way by a link, as a page of any
// site can open one. What must never count is what other sites can have a browser fetch
// without leaving the page (an image, a fetch, a frame), what nobody looks at, and what
// follows no redirect (HEAD). Package glue/internal/model shows that both ways are safe.
func navigates(r *http.Request) bool {
	h := r.Header
	if h.Get("Sec-Purpose") != "" || h.Get("Purpose") == "prefetch" {
		return false // nobody is looking
	}
	mode, dest := h.Get("Sec-Fetch-Mode"), h.Get("Sec-Fetch-Dest")
	switch {
	case mode == "" && dest == "" && h.Get("Sec-Fetch-Site") == "":
		// Old browsers, and plain http, where none of the three is sent.
		return acceptsHTML(h.Get("Accept")) && !sender.IsScript(h) && !sender.IsOffice(r)
	case dest == "document":
		return mode == "navigate"
	}
	return isPassedOn(mode, dest, h)
}

// isPassedOn reports whether a service worker fetches what a person opens. By
// fetch(event.request) Chromium says mode navigate, which no script can make up (Fetch,
// section 5.4: its Request constructor refuses it). Firefox always, and Chromium where the
// worker has changed something, says same-origin: so can a script, but only one of the
// site's own, and only on purpose: no fetch sends Upgrade-Insecure-Requests by itself.
// Navigations do, wherever they go.
func isPassedOn(mode, dest string, h http.Header) bool {
	return dest == "empty" && (mode == "navigate" || mode == "same-origin") &&
		h.Get("Upgrade-Insecure-Requests") == "1" && acceptsHTML(h.Get("Accept")) && !sender.IsScript(h)
}

func acceptsHTML(accept string) bool {
	for part := range strings.SplitSeq(accept, ",") {
		if t, _, err := mime.ParseMediaType(part); err == nil && t == "text/html" {
			return true
		}
	}
	return false
}
