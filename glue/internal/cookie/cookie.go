// Package cookie reads cookies.
package cookie

import "net/http"

// Get returns the value of a cookie, empty where there is none. A name that appears twice
// counts as absent: one of the two was put there by somebody else, and nobody can tell
// which.
func Get(r *http.Request, name string) string {
	found := r.CookiesNamed(name)
	if len(found) != 1 {
		return ""
	}
	return found[0].Value
}
