// Package sender tells programs apart that send requests, by what they say of themselves.
// It is for answers that they understand; nobody comes in by it.
package sender

import (
	"net/http"
	"strings"
)

// IsScript reports whether a library for scripts says that it sent the request. Android's
// browsers within applications send X-Requested-With, too, with the application's name.
func IsScript(h http.Header) bool {
	return h.Get("X-Requested-With") == "XMLHttpRequest" || IsHTMX(h)
}

// IsHTMX reports whether htmx sent the request.
func IsHTMX(h http.Header) bool { return h.Get("HX-Request") == "true" }

// IsFrame reports whether a person sees the answer in a part of a page.
func IsFrame(r *http.Request) bool {
	if r.Method != http.MethodGet || r.Header.Get("Sec-Fetch-Mode") != "navigate" || r.Header.Get("Sec-Purpose") != "" {
		return false
	}
	switch r.Header.Get("Sec-Fetch-Dest") {
	case "iframe", "frame", "embed", "object":
		return true
	}
	return false
}

// IsOffice reports whether a program of Microsoft Office looks at a link that a person
// follows in a document. It asks by OPTIONS, HEAD and GET, with none of the browser's
// cookies, follows redirects, and has the browser open where they end. Outlook opens links
// in the browser at once. The browsers that show pages within Office send Sec-Fetch-Mode.
func IsOffice(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
	default:
		return false
	}
	agent := r.UserAgent()
	is := strings.HasPrefix(agent, "Microsoft Office") || strings.Contains(agent, "ms-office") || strings.Contains(agent, "MSOffice ")
	return is && !strings.Contains(agent, "Outlook") && r.Header.Get("Sec-Fetch-Mode") == ""
}
