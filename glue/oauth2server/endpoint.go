package oauth2server

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/internal/respond"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/store"
)

// call is an authenticated client's request to one of the endpoints for programs.
type call struct {
	*Server
	r      *http.Request
	pages  bool // those of other origins may call, too
	client store.Client
	params params
}

// callTime is how long a call may take once it has been read. It goes on if the client
// hangs up: a thief who shows a stolen code or token must not be able to stop what that
// sets off.
const callTime = 15 * time.Second

// endpoint returns a handler for what an endpoint does with a call (RFC 6749 section 3.2).
// The answer is sent as JSON; nil is an empty one. It reads no cookies.
func (s *Server) endpoint(pages bool, serve func(context.Context, *call) (answer any, err *protocolError)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if pages && isPreflight(r) {
			s.preflight(w, r, http.MethodPost)
			return
		}
		noStore(w)
		w.Header().Add("Vary", "Origin")
		c := &call{Server: s, r: r, pages: pages}
		err := c.read(w)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), callTime)
		defer cancel()
		if err == nil {
			err = c.authenticate(ctx)
		}
		if err != errUnavailable {
			err = c.judgePage(w.Header(), err)
		}
		var answer any
		if err == nil {
			answer, err = serve(ctx, c)
		}
		if err != nil {
			c.refuse(w, err)
			return
		}
		if answer != nil {
			respond.JSON(w, http.StatusOK, answer)
		}
	})
}

// read takes parameters from the body of a POST alone: addresses end up in logs.
func (c *call) read(w http.ResponseWriter) *protocolError {
	if c.r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return errMethod
	}
	if c.r.URL.RawQuery != "" {
		return errInURL
	}
	kind, _, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return errContentType
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, c.r.Body, maxBody))
	if err != nil {
		return errBody
	}
	if c.params, err = parseParams(string(body), maxBody); err != nil {
		return errBody
	}
	if len(c.params.repeated) > 0 {
		return errRepeated
	}
	return nil
}

// authenticate finds out which client calls (RFC 6749 section 2.3): by its secret, in
// the header or in the body, or, a public one, by its name alone.
func (c *call) authenticate(ctx context.Context) *protocolError {
	id, secret := c.params.get("client_id"), c.params.get("client_secret")
	switch headers := c.r.Header.Values("Authorization"); {
	case len(headers) > 1:
		return errTwoWays
	case len(headers) == 1:
		if secret != "" || c.params.get("client_assertion") != "" {
			return errTwoWays
		}
		basicID, basicSecret, ok := parseBasic(headers[0])
		if !ok || basicSecret == "" {
			return errClient
		}
		if id != "" && id != basicID {
			return errTwoWays
		}
		id, secret = basicID, basicSecret
	}
	if id == "" {
		return errClient
	}
	found, err := c.store.Client(ctx, id)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return errClient
	case err != nil:
		return c.unavailable(err)
	case (found.Confidential || secret != "") && !found.CheckSecret(secret):
		return errClient
	}
	c.client = found
	return nil
}

// parseBasic reads credentials whose two parts are form-encoded before they are joined
// (RFC 6749 section 2.3.1), which other users of Basic do not do.
func parseBasic(header string) (id, secret string, ok bool) {
	scheme, rest, found := strings.Cut(header, " ")
	if !found || !strings.EqualFold(scheme, "Basic") || strings.ContainsAny(rest, "\r\n") {
		return "", "", false
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(rest)
	if err != nil {
		return "", "", false
	}
	first, second, found := strings.Cut(string(raw), ":")
	id, errID := url.QueryUnescape(first)
	secret, errSecret := url.QueryUnescape(second)
	if !found || id == "" || errID != nil || errSecret != nil {
		return "", "", false
	}
	return id, secret, true
}

// refuse answers with an error (RFC 6749 section 5.2).
func (c *call) refuse(w http.ResponseWriter, e *protocolError) {
	switch {
	case e == errOrigin: // judgePage has reported why
	case e.status == http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", `Basic realm="`+c.cfg.Issuer+`"`)
		c.event(c.r, event{Name: EventClientRefused, Reason: e.code})
	case e.status == http.StatusServiceUnavailable: // unavailable has reported why
		w.Header().Set("Retry-After", "5")
	default:
		c.event(c.r, event{Name: EventRefused, Reason: e.code, ClientID: c.client.ID, Err: e})
	}
	e.write(w)
}

// unavailable reports that the database, or [Config.Active], cannot say.
func (c *call) unavailable(err error) *protocolError {
	c.event(c.r, event{Name: EventStoreError, ClientID: c.client.ID, Err: err})
	return errUnavailable
}

// mayUse returns an error unless the person may still use the site.
func (c *call) mayUse(ctx context.Context, principal string) *protocolError {
	switch active, err := c.active(ctx, principal); {
	case err != nil:
		return c.unavailable(err)
	case !active:
		return errGrant
	}
	return nil
}

// noStore keeps an answer out of caches, and its address out of what is asked next.
func noStore(w http.ResponseWriter) {
	respond.NoStore(w.Header())
	w.Header().Set("Pragma", "no-cache") // RFC 6749 section 5.1
	w.Header().Set("X-Content-Type-Options", "nosniff")
}
