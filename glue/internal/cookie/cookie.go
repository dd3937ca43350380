// Package cookie reads cookies.
package cookie

import (
	"net/http"
	"net/textproto"
	"os"
	"runtime/debug"
	"strings"
	"sync"
)

// few is how many cookies are certainly within net/http's limit, where nobody set another.
// Browsers send at most 180.
const few = 200

// Get returns the value of a cookie, empty where there is none. A name that appears twice
// counts as absent: one of the two was put there by somebody else, and nobody can tell
// which.
func Get(r *http.Request, name string) string {
	value, times := find(r, name)
	if times != 1 {
		return ""
	}
	return value
}

// find returns the value of a cookie, and how often [http.Request.CookiesNamed] finds it.
// It is for every request of somebody who is logged in, and so allocates nothing.
func find(r *http.Request, name string) (value string, times int) {
	lines := r.Header["Cookie"]
	parts := 0
	for _, line := range lines {
		parts += strings.Count(line, ";") + 1
	}
	if parts > few || otherLimit() {
		for _, c := range r.CookiesNamed(name) {
			value, times = c.Value, times+1
		}
		return value, times
	}
	for _, line := range lines {
		for more := true; more; {
			var part string
			part, line, more = strings.Cut(line, ";")
			key, val, _ := strings.Cut(textproto.TrimString(part), "=")
			if textproto.TrimString(key) != name {
				continue
			}
			if n := len(val); n > 1 && val[0] == '"' && val[n-1] == '"' {
				val = val[1 : n-1]
			}
			if isValid(val) && isName(name) {
				value, times = val, times+1
			}
		}
	}
	return value, times
}

// What net/http lets a cookie have that it writes is what it reads.
func valid(name, value string) bool { return (&http.Cookie{Name: name, Value: value}).Valid() == nil }

func isName(s string) bool { return valid(s, "") }

// isValid reports whether s can be a value. Those of sessions are long: a table is four
// times as fast as net/http.
func isValid(s string) bool {
	var bad byte
	for i := range len(s) {
		bad |= invalid[s[i]]
	}
	return bad == 0
}

// invalid is 1 for the bytes that values do not have.
var invalid = func() (table [256]byte) {
	for i := range table {
		if !valid("a", string([]byte{byte(i)})) {
			table[i] = 1
		}
	}
	return table
}()

// otherLimit reports whether net/http's limit of the number of cookies was set, when the
// program was built or started.
var otherLimit = sync.OnceValue(func() bool {
	const setting = "httpcookiemaxnum"
	if strings.Contains(os.Getenv("GODEBUG"), setting) {
		return true
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return true // nobody can tell
	}
	for _, s := range info.Settings {
		if s.Key == "DefaultGODEBUG" && strings.Contains(s.Value, setting) {
			return true
		}
	}
	return false
})
