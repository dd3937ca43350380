package xsrf

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"slices"
	"time"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// Check returns a handler that passes a request which may change something on to next only with
// a token made for its sender. GET, HEAD and OPTIONS pass, and so does a request with
// "Authorization: Bearer" and no session cookie (no cookie at all, without [Config.Auth]); a
// WebSocket needs an Origin of this site instead. Mount it inside auth.Require or
// auth.Optional; [Guard.With] narrows it to an action.
func (g *Guard) Check(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() { // whoever made this request may not know of the files
			if r.MultipartForm != nil {
				_ = r.MultipartForm.RemoveAll() // as net/http does
			}
		}()
		used, err := g.verify(w, r, nil)
		if err != nil {
			g.Refuse(w, r, err)
			return
		}
		if used != "" { // next may yet want another login, and keep the form
			r = r.WithContext(glue.WithUsed(r.Context(), used))
		}
		next.ServeHTTP(w, r)
	})
}

// Verify does what Check does, and returns nil or one of this package's errors, or, where it
// cannot know whether the token was used, that of the OneUse store. A form's body is read, into
// r.PostForm.
//
// A form that was kept over a login gets the verdict that it would have had when it was
// sent: its token must be made for that session. Where the session had ended by then, a
// token that works more than once is good for as long as that session was.
func (g *Guard) Verify(w http.ResponseWriter, r *http.Request, options ...Option) error {
	_, err := g.verify(w, r, options)
	return err
}

// verify returns what it has marked as used, too.
func (g *Guard) verify(w http.ResponseWriter, r *http.Request, options []Option) (used string, err error) {
	switch {
	case g.bearerOnly(r):
		return "", nil
	case isUpgrade(r):
		return "", g.VerifyOrigin(r) // no page can send a token with it, but all tell their origin
	case isSafe(r.Method):
		return "", nil
	}
	token, err := g.find(w, r)
	if err != nil {
		return "", err
	}
	b, err := g.bindingOf(r)
	if err != nil {
		return "", err
	}
	once := g.narrow(&b, options)
	item, err := g.open(r, b, token, once)
	if err != nil || item == nil {
		return "", err
	}
	// A browser that goes away, as it does when somebody clicks twice, must not leave the
	// token used and the request undone.
	err = g.cfg.Site.OneUse().Once(context.WithoutCancel(r.Context()), *item)
	switch {
	case errors.Is(err, webauth.ErrUsed):
		return "", ErrNotValid
	case errors.Is(err, webauth.ErrForgotten):
		return "", ErrForgotten
	}
	return item.ID, err
}

// open checks a token, which must be a single-use one where once says so, and returns the mark
// of a single-use one that is not used yet by this very form, else nil.
func (g *Guard) open(r *http.Request, b binding, token string, once bool) (*webauth.Item, error) {
	now, ttl := g.cfg.Site.Now(), g.cfg.TTL
	kept, resumed := glue.KeptFormFrom(r.Context())
	resumed = resumed && !b.visitor && b.who == kept.Principal
	if resumed {
		b.session, now = kept.SessionID, kept.At
		if kept.Ended {
			ttl = forever
		}
	}
	item, err := open(g.keys(), b, token, ttl, now)
	switch {
	case err != nil:
		return nil, err
	case item == nil && once: // it works more often
		return nil, ErrNotValid
	case item == nil:
		return nil, nil
	}
	// Who has used it is forgotten in the end.
	if now.Sub(item.Issued) > g.cfg.TTL {
		return nil, ErrExpired
	}
	if resumed && slices.Contains(kept.Used, item.ID) {
		return nil, nil
	}
	// A form may be kept until the token's last moment, and be sent on after it.
	item.Expires = item.Issued.Add(g.cfg.TTL + glue.KeptFormLife)
	return item, nil
}

const forever = 100 * 365 * 24 * time.Hour

// find gets the token from a header, or else from the form, never from the query.
func (g *Guard) find(w http.ResponseWriter, r *http.Request) (string, error) {
	var found []string
	for _, name := range g.cfg.Headers {
		found = append(found, r.Header.Values(name)...)
	}
	if len(found) == 0 && len(g.cfg.Fields) > 0 {
		form, err := g.form(w, r)
		if err != nil {
			return "", err
		}
		for _, name := range g.cfg.Fields {
			found = append(found, form[name]...)
		}
	}
	switch {
	case len(found) == 0 || len(found) == 1 && found[0] == "":
		return "", ErrMissing
	case len(found) > 1:
		return "", ErrMalformed // which of them did the page mean?
	}
	return found[0], nil
}

// form reads a form, and no other kind of body.
func (g *Guard) form(w http.ResponseWriter, r *http.Request) (map[string][]string, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return nil, nil //nolint:nilerr // no kind, no form: the token is missing
	}
	switch kind {
	case "application/x-www-form-urlencoded":
		r.Body = http.MaxBytesReader(w, r.Body, g.cfg.MaxForm)
		err = r.ParseForm()
	case "multipart/form-data":
		r.Body = http.MaxBytesReader(w, r.Body, g.cfg.MaxForm)
		err = r.ParseMultipartForm(1 << 20)
	default:
		return nil, nil
	}
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return nil, ErrTooLarge
	}
	if err != nil {
		return nil, ErrMalformed
	}
	return r.PostForm, nil
}
