package oidclogin

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/internal/seal"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// The parameter state is a sealed value, which holds
//
//	16 random bytes
//	the binding of the browser's secret (webauth.BrowserSecret.Binding, 16 bytes)
//	when it was made (8 bytes: microseconds since 1970, big-endian)
//	strength, note and return URL, in lines
//
// and is associated with the service and the origin. Provider and browser pass it on, and
// it is read in logs: it shows nothing but its length.

const (
	// stateLife is how long a person may take to log in.
	stateLife = time.Hour
	// stateSkew is how far the clocks of a site's own machines may disagree.
	stateSkew = time.Minute

	seedLen    = 16
	bindingLen = 16
	headLen    = seedLen + bindingLen + 8
)

// state is what one request for a login asked for.
type state struct {
	webauth.Token
	binding string // of the browser's secret
	url     string

	seed [seedLen]byte
	key  *siteKey // what it was sealed under
}

// siteKey is what one of the site's secrets makes of states.
type siteKey struct {
	codec  *seal.Codec
	derive []byte
	scope  string // names service and origin, which states are sealed with
}

// newSiteKeys returns the keys of a login's states; the first makes, all verify.
func newSiteKeys(secrets [][]byte, scope string) (keys []*siteKey, err error) {
	if len(secrets) == 0 {
		return nil, errors.New("oidclogin: the place has no keys")
	}
	for i, secret := range secrets {
		if len(secret) < 32 {
			return nil, fmt.Errorf("oidclogin: key %d of the place has %d bytes, want at least 32", i+1, len(secret))
		}
		k := &siteKey{scope: scope}
		if k.derive, err = hkdf.Key(sha256.New, secret, nil, "oidclogin values v1", sha256.Size); err != nil {
			return nil, err
		}
		sealKey, err := hkdf.Key(sha256.New, secret, nil, "oidclogin state v1", sha256.Size)
		if err != nil {
			return nil, err
		}
		if k.codec, err = seal.New("OpenID Connect state", [][]byte{sealKey}); err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	return keys, nil
}

// newState returns the state of a request, and its text.
func newState(key *siteKey, secret webauth.BrowserSecret, r webauth.Request, now time.Time) (*state, string, error) {
	s := &state{url: r.URL, binding: secret.Binding(), key: key}
	rand.Read(s.seed[:])
	s.Token = webauth.Token{Issued: now.Truncate(time.Microsecond), IAct: r.IAct, AAuth: r.AAuth, Note: r.Note, Nonce: encode(s.seed[:])}
	binding, err := base64.RawURLEncoding.DecodeString(s.binding)
	if err != nil {
		return nil, "", err
	}
	plain := append(append(make([]byte, 0, headLen+len(r.URL)+32), s.seed[:]...), binding...)
	plain = binary.BigEndian.AppendUint64(plain, uint64(now.UnixMicro()))
	plain = append(plain, strings.Join([]string{webauth.FormatStrength(r.IAct, r.AAuth), r.Note, r.URL}, "\n")...)
	// What seals keeps whole seconds alone: one more than it lasts, and readState counts.
	text, err := key.codec.Seal(key.scope, now.Add(stateLife+time.Second), plain)
	return s, text, err
}

// readState returns the state that was made here, whosever it is and however old; nil if it
// was not. What follows from a state is derived from the key that it was sealed under.
func readState(keys []*siteKey, text string, now time.Time) *state {
	for _, key := range keys {
		plain, _, err := key.codec.Open(key.scope, text, now)
		if err == nil || errors.Is(err, seal.ErrExpired) {
			return parseState(key, plain)
		}
	}
	return nil
}

func parseState(key *siteKey, plain string) *state {
	if len(plain) < headLen {
		return nil
	}
	s := &state{key: key, binding: encode([]byte(plain[seedLen : seedLen+bindingLen]))}
	copy(s.seed[:], plain)
	line := strings.SplitN(plain[headLen:], "\n", 3)
	if len(line) != 3 {
		return nil
	}
	s.Issued = time.UnixMicro(int64(binary.BigEndian.Uint64([]byte(plain[headLen-8 : headLen]))))
	s.Nonce, s.Note, s.url = encode(s.seed[:]), line[1], line[2]
	var ok bool
	if s.IAct, s.AAuth, ok = webauth.ParseStrength(line[0]); !ok {
		return nil
	}
	return s
}

// expired reports whether a state is too old, or of a clock that was far ahead.
func (s *state) expired(now time.Time) bool {
	age := now.Sub(s.Issued)
	return age > stateLife || age < -stateSkew
}

// nonce returns the nonce of the request with this state, in the browser with this secret.
func (s *state) nonce(secret webauth.BrowserSecret) string { return s.value("nonce", secret) }

// verifier returns its PKCE code verifier (RFC 7636 section 4.1).
func (s *state) verifier(secret webauth.BrowserSecret) string {
	return s.value("code verifier", secret)
}

// value returns 256 bits that only the site can tell, and only of this state and browser.
func (s *state) value(purpose string, secret webauth.BrowserSecret) string {
	info := purpose + "\x00" + string(secret)
	v, err := hkdf.Key(sha256.New, s.key.derive, s.seed[:], info, sha256.Size)
	if err != nil {
		panic(err) // of a length that SHA-256 cannot give, alone
	}
	return encode(v)
}

// challenge returns the code challenge of a verifier (RFC 7636 section 4.2).
func challenge(verifier string) string {
	h := sha256.Sum256([]byte(verifier))
	return encode(h[:])
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
