package webauth

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"log/slog"
)

// BrowserSecret is the one secret that a browser keeps, in an HttpOnly cookie whose
// name begins with __Host-: 128 random bits as 22 characters of base64url. Tokens
// and sessions are bound to it. It hides itself in logs; string(s) is the cookie.
type BrowserSecret string

// NewBrowserSecret returns a new random secret.
func NewBrowserSecret() BrowserSecret {
	var b [16]byte
	rand.Read(b[:])
	return BrowserSecret(base64.RawURLEncoding.EncodeToString(b[:]))
}

// Valid reports whether the secret has the form of those of [NewBrowserSecret]. A cookie
// without that form counts as absent.
func (s BrowserSecret) Valid() bool {
	if len(s) != 22 {
		return false
	}
	var b [18]byte
	n, err := base64.RawURLEncoding.Strict().Decode(b[:], []byte(s))
	return err == nil && n == 16
}

// Binding returns a hash of the secret for a session to hold: a session belongs to the
// browser whose secret has the session's binding, see [BrowserSecret.Fits]. It has 22
// characters of base64url.
func (s BrowserSecret) Binding() string {
	b := s.binding()
	return string(b[:])
}

// Fits reports whether a session, or another value, with this binding belongs to the
// browser with this secret. Nothing belongs to a browser without one. It compares in
// constant time and allocates nothing, because every request calls it.
func (s BrowserSecret) Fits(binding string) bool {
	own := s.binding()
	return s != "" && subtle.ConstantTimeCompare(own[:], []byte(binding)) == 1
}

const bindingLabel = "ucam-webauth browser binding v1\x00"

func (s BrowserSecret) binding() (text [22]byte) {
	h := sha256.Sum256(append(append(make([]byte, 0, 64), bindingLabel...), s...))
	base64.RawURLEncoding.Encode(text[:], h[:16])
	return text
}

// String hides the secret.
func (s BrowserSecret) String() string { return "BrowserSecret(hidden)" }

// GoString hides the secret.
func (s BrowserSecret) GoString() string { return s.String() }

// MarshalText hides the secret, from JSON logs too. Sessions hold the Binding instead.
func (s BrowserSecret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue hides the secret.
func (s BrowserSecret) LogValue() slog.Value { return slog.StringValue(s.String()) }
