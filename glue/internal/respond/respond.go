// Package respond writes answers: the headers that keep them out of caches, redirects,
// JSON, lines of text for scripts, and the headers of pages.
package respond

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// NoStore keeps an answer of a login out of every cache, and its address from whatever
// is asked for next.
func NoStore(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	VaryByCookie(h)
}

// Private marks an answer as that for one person, to be asked about each time. The values
// are kept in room, which is for this answer alone: handlers may alter what they find in
// a header.
func Private(h http.Header, room *[2]string) {
	*room = [2]string{"private, no-cache", "Cookie"}
	h["Cache-Control"] = room[:1:1]
	if len(h["Vary"]) == 0 {
		h["Vary"] = room[1:]
		return
	}
	VaryByCookie(h)
}

// VaryByCookie says that an answer depends on who asks.
func VaryByCookie(h http.Header) {
	if !slices.Contains(h["Vary"], "Cookie") {
		h["Vary"] = append(h["Vary"], "Cookie")
	}
}

// Redirect answers with 303, so that the browser sends a GET to the URL. Clients of
// HTTP/1.0 do not know 303 and get 302.
func Redirect(w http.ResponseWriter, r *http.Request, to string) {
	NoStore(w.Header())
	status := http.StatusSeeOther
	if !r.ProtoAtLeast(1, 1) {
		status = http.StatusFound
	}
	w.Header().Set("Location", to)
	w.WriteHeader(status)
}

// JSON answers with a value, which must marshal. Nothing may keep the answer.
func JSON(w http.ResponseWriter, status int, v any) {
	body, _ := json.Marshal(v) // our own types marshal
	write(w, status, "application/json", body)
}

// Brief answers a script: by an error and its reason in JSON where it accepts that, else
// by a line of text.
func Brief(w http.ResponseWriter, r *http.Request, status int, code, reason, text string) {
	NoStore(w.Header())
	if strings.Contains(r.Header.Get("Accept"), "json") {
		JSON(w, status, map[string]string{"error": code, "reason": reason})
		return
	}
	Text(w, status, text)
}

// Text answers with a line of text, which nothing may keep.
func Text(w http.ResponseWriter, status int, text string) {
	write(w, status, "text/plain; charset=utf-8", []byte(text))
}

func write(w http.ResponseWriter, status int, kind string, body []byte) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", kind)
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // the client's loss if it has gone; net/http drops what answers HEAD
}

// PageHeaders keeps a page out of caches and frames, and anything but its own style out
// of it. framed lets pages of its own origin show it in a frame. form is whether the page has a form, anyTarget whether the answer to that may
// redirect to another origin: browsers apply form-action to redirects after a post as
// well. styleHash is the source of its style sheet, as Content-Security-Policy writes it.
func PageHeaders(h http.Header, framed, form, anyTarget bool, styleHash string) {
	NoStore(h)
	ancestors, frames := "'none'", "DENY"
	if framed {
		ancestors, frames = "'self'", "SAMEORIGIN"
	}
	csp := "default-src 'none'; style-src " + styleHash + "; base-uri 'none'; frame-ancestors " + ancestors
	switch {
	case !form:
		csp += "; form-action 'none'"
	case !anyTarget:
		csp += "; form-action 'self'"
	}
	if form {
		// Without a referrer, browsers that know no Sec-Fetch-Site would not say either
		// that the form is ours. No page with a form has a response in its address.
		h.Set("Referrer-Policy", "same-origin")
	}
	h.Set("Content-Security-Policy", csp)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", frames)
}

// Ref returns a reference that ties a page to its log line: 40 random bits.
func Ref() string { return rand.Text()[:8] }
