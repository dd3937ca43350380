package glue

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/webauth"
)

// A form that meets an ended session is kept: sealed, with the person, the browser,
// the URL and a time, into the page that asks to log in again. That page's button
// sends it on, once, after a login by the same person in the same browser.
const (
	keptField = "wls-kept"   // form field that holds the sealed form
	keptMark  = "wls-kept=1" // added to the query, so that no other body is read for it
	keptLife  = time.Hour

	maxKeptHead = 4 << 10 // bytes of URL and content type
)

// keepForm answers a form that lacks a good enough login.
func (v *visit) keepForm(s *session, lack shortfall) {
	owner, sealed, err := v.formToKeep(s)
	if err != nil {
		page := pageLoginAgain
		page.Text = append([]string{"What you sent was not stored: " + err.Error() + ". If you go back, your browser may still have it."}, page.Text...)
		page.Links = []Link{{Text: "Log in again", Href: v.place.url(v.path, withoutKeptMark(v.query))}}
		v.fail(Event{Name: EventRefused, Reason: webauth.Reason(lack), Err: err}, page)
		return
	}
	again := v.place.url(v.path, withKeptMark(v.query))
	page := pageFormKept
	page.Links = []Link{{Text: "Log in again", Href: again, NewTab: true}}
	page.Form = &Form{Action: again, Button: "Continue", Hidden: map[string]string{keptField: sealed}, anyTarget: true}
	v.fail(Event{Name: EventFormKept, Reason: webauth.Reason(lack), Principal: owner}, page)
}

// formToKeep seals the request's form and says whose it is. Somebody who pressed
// Continue too early gets the form back that is sealed already.
func (v *visit) formToKeep(s *session) (owner, sealed string, err error) {
	if v.aboutKeptForm() {
		form, sealed, err := v.openForm()
		if err != nil {
			return "", "", err
		}
		return form.principal, sealed, nil
	}
	if s == nil {
		return "", "", errors.New("it is not known who you were logged in as")
	}
	sealed, err = v.sealForm(s)
	return s.Principal, sealed, err
}

// sealForm seals the request's form, if it may be kept.
func (v *visit) sealForm(s *session) (string, error) {
	limit := int64(v.cfg.KeepForms)
	given := v.r.Header.Get("Content-Type")
	kind, _, _ := mime.ParseMediaType(given)
	url := v.place.url(v.path, v.query)
	switch {
	case limit < 0:
		return "", errors.New("this site does not keep forms")
	case !fromSameOrigin(v.r, v.place):
		return "", errors.New("it did not come from a page of this site")
	case kind != "application/x-www-form-urlencoded":
		return "", errors.New("files cannot be kept")
	case len(url)+len(given) > maxKeptHead:
		return "", errors.New("its address is too long")
	}
	body, err := io.ReadAll(io.LimitReader(v.r.Body, limit+1))
	if err != nil || int64(len(body)) > limit {
		return "", errors.New("it is too long, or did not arrive whole")
	}
	head := strings.Join([]string{s.Principal, s.binding, url, given, randomID()}, "\n")
	return v.place.kept.Seal(keptField, v.now.Add(keptLife), append([]byte(head+"\n"), body...))
}

type keptForm struct {
	principal, binding, url, kind, nonce string
	body                                 []byte
	expires                              time.Time
}

var errNotKept = errors.New("it is not a form that was kept here for this browser, or it was kept for too long")

// openForm reads the kept form that a Continue button sent. It checks everything but
// the person.
func (v *visit) openForm() (*keptForm, string, error) {
	// A browser that does not tell where the request comes from cannot have the sealed
	// form from elsewhere either.
	if tellsOrigin(v.r) && !fromSameOrigin(v.r, v.place) {
		return nil, "", errNotKept
	}
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, int64(v.cfg.KeepForms+maxKeptHead)*4/3+4<<10)
	sealed := v.r.PostFormValue(keptField)
	plain, expires, err := v.place.kept.Open(keptField, sealed, v.now)
	part := bytes.SplitN(plain, []byte("\n"), 6)
	if err != nil || len(part) != 6 {
		return nil, "", errNotKept
	}
	f := &keptForm{string(part[0]), string(part[1]), string(part[2]), string(part[3]), string(part[4]), part[5], expires}
	if !v.secret.Fits(f.binding) || f.url != v.place.url(v.path, withoutKeptMark(v.query)) {
		return nil, "", errNotKept
	}
	return f, sealed, nil
}

// resume goes on after the login: the new tab is told to close, the Continue button
// sends the kept form to the handler. Of other methods leaveKeptForm has left none.
func (v *visit) resume(s *session, next http.Handler) {
	if v.r.Method != http.MethodPost {
		page := pageGoBack
		page.Links = []Link{{Text: "Or open the page anew", Href: v.place.url(v.path, withoutKeptMark(v.query))}}
		v.show(page)
		return
	}
	form, _, err := v.openForm()
	if err == nil && form.principal != s.Principal {
		v.fail(Event{Name: EventRefused, Reason: "kept-form", Principal: s.Principal, Err: errors.New("the form is another person's")}, pageNotYours)
		return
	}
	if err == nil {
		err = v.cfg.OneUse.Once(context.WithoutCancel(v.r.Context()), webauth.Item{
			ID: "form:" + form.nonce, Issued: form.expires.Add(-keptLife), Expires: form.expires, Unsigned: true,
		})
		if err != nil && !errors.Is(err, webauth.ErrUsed) && !errors.Is(err, webauth.ErrForgotten) {
			v.storeDown(err)
			return
		}
	}
	if err != nil {
		v.fail(Event{Name: EventRefused, Reason: "kept-form", Principal: s.Principal, Err: err}, pageFormGone)
		return
	}
	v.log(Event{Name: EventFormResumed, Principal: s.Principal})
	v.serve(next, v.restored(form, s))
}

// restored makes the request that was kept.
func (v *visit) restored(form *keptForm, s *session) *http.Request {
	r := withoutMark(v.identified(s))
	r.Header = r.Header.Clone()
	r.Header.Set("Content-Type", form.kind)
	r.Header.Del("Content-Length")
	r.Body = io.NopCloser(bytes.NewReader(form.body))
	r.ContentLength = int64(len(form.body))
	r.Form, r.PostForm, r.MultipartForm = nil, nil, nil
	return r.WithContext(context.WithValue(r.Context(), resumedKey{}, true))
}

// leaveKeptForm takes the mark from what is neither the new tab nor the Continue button:
// a form of the site's own that was sent from a marked address, where Continue had led,
// so that its body is its own; and any other method, which a kept form never has.
func (v *visit) leaveKeptForm() {
	switch {
	case !v.aboutKeptForm(), v.r.Method == http.MethodGet, v.r.Method == http.MethodHead:
		return
	case v.r.Method == http.MethodPost && v.bringsKeptForm():
		return
	}
	v.query = withoutKeptMark(v.query)
	v.r = withoutMark(v.r)
}

// bringsKeptForm reports whether a form begins as Continue's does. The body stays whole.
func (v *visit) bringsKeptForm() bool {
	body := bufio.NewReader(v.r.Body)
	begin, _ := body.Peek(len(keptField) + 1) // too short is another form's
	v.r.Body = struct {
		io.Reader
		io.Closer
	}{body, v.r.Body}
	return string(begin) == keptField+"="
}

// withoutMark gives the request as it was before it was marked.
func withoutMark(r *http.Request) *http.Request {
	r = r.WithContext(r.Context())
	u := *r.URL
	u.RawQuery = withoutKeptMark(u.RawQuery)
	r.URL = &u
	r.RequestURI = withoutKeptMarkURI(r.RequestURI)
	return r
}

// aboutKeptForm reports whether a request came from a page that keeps a form.
func (v *visit) aboutKeptForm() bool { return v.cfg.KeepForms >= 0 && hasKeptMark(v.query) }

func hasKeptMark(query string) bool {
	return query == keptMark || strings.HasSuffix(query, "&"+keptMark)
}

func withKeptMark(query string) string {
	switch {
	case hasKeptMark(query):
		return query
	case query == "":
		return keptMark
	}
	return query + "&" + keptMark
}

func withoutKeptMark(query string) string {
	for hasKeptMark(query) {
		query = strings.TrimSuffix(strings.TrimSuffix(query, keptMark), "&")
	}
	return query
}

func withoutKeptMarkURI(uri string) string {
	path, query, _ := strings.Cut(uri, "?")
	if query = withoutKeptMark(query); query == "" {
		return path
	}
	return path + "?" + query
}
