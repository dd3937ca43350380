package webauth

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/keys/words"
)

// The token in params is version.time.strength.nonce.MAC, or, where there is a note,
// version.time.strength.nonce.note.MAC, all of it unreserved characters of a URL:
//
//	version   1, or 2 with a note
//	time      Unix seconds, decimal, then ~ and six digits where there is a fraction
//	strength  a, y or n (iact as needed, yes, no), then ~TYPE for each of aauth
//	nonce     128 random bits, base64url
//	note      Request.Note
//	MAC       HMAC-SHA256, base64url, over all before, url and the browser's secret
const (
	tokenVersion     = "1"
	tokenVersionNote = "2"
)

// defaultTokenTTL is how long a person may take to log in.
const defaultTokenTTL = time.Hour

// tokenSkew is how far the clocks of a site's own machines may disagree.
const tokenSkew = time.Minute

// SignerConfig configures a [RequestSigner].
type SignerConfig struct {
	// Service the requests go to. Required.
	Service Service
	// Origin of the site, such as "https://soc.example". Required; a path is ignored.
	Origin string
	// Keys are secrets of at least 32 bytes; the first signs, all verify. Required.
	Keys [][]byte
	// TTL is how long a token lasts, 1 minute to 24 hours; zero means 1 hour.
	TTL time.Duration
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// RequestSigner makes requests tamper-evident: it puts a token into params that
// binds a request to this site, this browser, one URL and one strength, and recognises
// its own tokens when they come back under the WLS's signature. Without it anybody
// can send somebody else's response, or a laxer one, to a site ("login CSRF"). It is
// for one service and one origin, immutable, and safe for concurrent use.
type RequestSigner struct {
	service string // its ID
	origin  string
	scope   string // names service and origin in key derivation
	keys    [][]byte
	ttl     time.Duration
	now     func() time.Time
}

// Token is the content of a token that a [RequestSigner] made.
type Token struct {
	Issued time.Time
	IAct   Interact
	AAuth  []string
	Nonce  string
	// Note is that of the Request, or empty.
	Note string
}

// NewRequestSigner returns a signer for cfg, with keys derived from cfg.Keys.
func NewRequestSigner(cfg SignerConfig) (*RequestSigner, error) {
	if err := cfg.Service.Check(); err != nil {
		return nil, err
	}
	origin, err := Origin(cfg.Origin)
	if err != nil {
		return nil, fmt.Errorf("webauth: SignerConfig.Origin: %v", err)
	}
	if cfg.TTL == 0 {
		cfg.TTL = defaultTokenTTL
	}
	if cfg.TTL < time.Minute || cfg.TTL > 24*time.Hour {
		return nil, errors.New("webauth: SignerConfig.TTL: want 1 minute to 24 hours")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	id := cfg.Service.ID()
	s := &RequestSigner{service: id, origin: origin, scope: id + " " + origin, ttl: cfg.TTL, now: cfg.Now}
	if len(cfg.Keys) == 0 {
		return nil, errors.New("webauth: SignerConfig.Keys: want at least one secret of 32 random bytes")
	}
	for i, k := range cfg.Keys {
		if len(k) < 32 {
			return nil, fmt.Errorf("webauth: SignerConfig.Keys[%d]: %d bytes, want at least 32", i, len(k))
		}
		key, err := hkdf.Key(sha256.New, k, nil, "ucam-webauth request token v1\x00"+s.scope, sha256.Size)
		if err != nil {
			return nil, fmt.Errorf("webauth: deriving the token key: %w", err)
		}
		s.keys = append(s.keys, key)
	}
	return s, nil
}

// Sign returns the request with Params and Date filled in. The URL must be of the
// signer's origin, Params empty and the secret Valid. Whether browsers request the URL as
// it is written is checked by [Service.LoginURL] and [Verifier.Verify].
func (s *RequestSigner) Sign(secret BrowserSecret, r Request) (Request, error) {
	addr, err := r.check()
	if err != nil {
		return Request{}, err
	}
	if addr.origin() != s.origin {
		return Request{}, fmt.Errorf("webauth: Request.URL is not of the origin %s", s.origin)
	}
	if r.Params != "" {
		return Request{}, errors.New("webauth: Request.Params: the token goes there, leave it empty")
	}
	if !secret.Valid() {
		return Request{}, errors.New("webauth: the browser secret is not one of NewBrowserSecret")
	}
	var nonce [16]byte
	rand.Read(nonce[:])
	now := s.now()
	part := []string{
		tokenVersion, formatTokenTime(now), FormatStrength(r.IAct, r.AAuth),
		base64.RawURLEncoding.EncodeToString(nonce[:]),
	}
	if r.Note != "" {
		part[0] = tokenVersionNote
		part = append(part, r.Note)
	}
	body := strings.Join(part, ".")
	r.Params = body + "." + mac(s.keys[0], body, r.URL, secret)
	r.Date = now
	return r, nil
}

// Check returns the token in params, if this signer made it for this browser and this
// url, byte for byte, and it has not expired. Whether it was used before, and whether the
// WLS signed it, is checked by [Verifier.Verify]. Errors hold no part of the token.
func (s *RequestSigner) Check(secret BrowserSecret, url, params string) (Token, error) {
	t, _, err := s.check(secret, url, params)
	return t, err
}

// check is Check. made reports whether the MAC held, so that this signer did sign the
// url for this browser, however long ago.
func (s *RequestSigner) check(secret BrowserSecret, url, params string) (t Token, made bool, err error) {
	i := strings.LastIndexByte(params, '.')
	if i < 0 || !secret.Valid() {
		return Token{}, false, errors.New("params is not a token of this site, or the browser brought no secret")
	}
	body, sum := params[:i], []byte(params[i+1:])
	if !slices.ContainsFunc(s.keys, func(key []byte) bool { return hmac.Equal(sum, []byte(mac(key, body, url, secret))) }) {
		return Token{}, false, errors.New("the token was not made here for this browser and this url")
	}
	t, ok := parseToken(body)
	if !ok {
		return Token{}, false, errors.New("the token is of an unknown form")
	}
	if age := s.now().Sub(t.Issued); age > s.ttl || age < -tokenSkew {
		return Token{}, true, fmt.Errorf("the token was made %s ago and lasts %s", words.Ago(age), words.Duration(s.ttl))
	}
	return t, true, nil
}

// String names the signer and hides its keys.
func (s *RequestSigner) String() string { return "RequestSigner(" + s.scope + ")" }

// GoString is String.
func (s *RequestSigner) GoString() string { return s.String() }

// item returns the item that marks the token as used.
func (s *RequestSigner) item(t Token) Item { return s.itemAt(s.origin, t) }

func (s *RequestSigner) itemAt(origin string, t Token) Item {
	return TokenItem(s.service, origin, t, s.ttl)
}

// TokenItem returns the item that marks a token as used which lasts for ttl. The service is
// named by its ID.
func TokenItem(service, origin string, t Token, ttl time.Duration) Item {
	id := tokenID(service, origin, t.Nonce)
	return Item{ID: id, Group: id, Issued: t.Issued, Expires: t.Issued.Add(ttl)}
}

// tokenID returns the ID of the item of a token. A nonce that was read unchecked may hold
// blanks; it is last, so that no two tokens look alike.
func tokenID(service, origin, nonce string) string {
	h := sha256.Sum256([]byte(service + " " + origin + " " + nonce))
	return "token:" + base64.RawURLEncoding.EncodeToString(h[:])
}

// Again returns the item that marks the one success that may follow a failure with the token
// of this item in the same browser; see [Expect.Failed].
func (i Item) Again() Item {
	h := sha256.Sum256([]byte(i.ID + " again")) // fewer blanks than what a nonce is part of
	i.ID = "token:" + base64.RawURLEncoding.EncodeToString(h[:])
	return i
}

// seen returns the item of a token for any origin of the site whose MAC cannot be checked
// here. ok is false if params is not a token, or if it has expired.
func (s *RequestSigner) seen(origin, params string) (item Item, ok bool) {
	t, ok := readToken(params)
	age := s.now().Sub(t.Issued)
	return s.itemAt(origin, t), ok && age <= s.ttl && age >= -tokenSkew
}

// readToken reads a token from params without a look at its MAC, whoever made it.
func readToken(params string) (Token, bool) {
	i := strings.LastIndexByte(params, '.')
	if i < 0 {
		return Token{}, false
	}
	return parseToken(params[:i])
}

// mac covers length-prefixed parts, so that no two lists of parts look alike.
func mac(key []byte, body, url string, secret BrowserSecret) string {
	h := hmac.New(sha256.New, key)
	for _, part := range []string{body, url, string(secret)} {
		var n [4]byte
		binary.BigEndian.PutUint32(n[:], uint32(len(part)))
		h.Write(n[:])
		h.Write([]byte(part))
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// parseToken reads the body of a token, which is all but the MAC.
func parseToken(body string) (Token, bool) {
	part := strings.Split(body, ".")
	switch {
	case len(part) == 4 && part[0] == tokenVersion:
	case len(part) == 5 && part[0] == tokenVersionNote && isNote(part[4]):
	default:
		return Token{}, false
	}
	t := Token{Nonce: part[3]}
	var ok bool
	if t.Issued, ok = parseTokenTime(part[1]); !ok {
		return Token{}, false
	}
	if len(part) == 5 {
		t.Note = part[4]
	}
	t.IAct, t.AAuth, ok = ParseStrength(part[2])
	return t, ok
}

// formatTokenTime returns the text of the time when a token was made, to the microsecond:
// a site that starts within a second cannot know what was used earlier in that second, and
// would refuse all its tokens if they had whole seconds.
func formatTokenTime(t time.Time) string {
	text := strconv.FormatInt(t.Unix(), 10)
	if micro := t.Nanosecond() / 1000; micro != 0 {
		text += fmt.Sprintf("~%06d", micro)
	}
	return text
}

// parseTokenTime parses what formatTokenTime returns, and nothing else.
func parseTokenTime(text string) (time.Time, bool) {
	whole, fraction, _ := strings.Cut(text, "~")
	sec, err := strconv.ParseInt(whole, 10, 64)
	if err != nil {
		return time.Time{}, false
	}
	var micro int64
	if fraction != "" {
		micro, err = strconv.ParseInt(fraction, 10, 64)
	}
	t := time.Unix(sec, micro*1000)
	return t, err == nil && micro >= 0 && micro < 1e6 && formatTokenTime(t) == text
}
