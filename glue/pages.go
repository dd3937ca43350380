package glue

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"errors"
	"html/template"
	"net/http"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue/internal/respond"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// Page is something that a person must be told, in fixed words. Nothing in it comes
// from a response that was refused.
type Page struct {
	// Kind is the page's stable name, such as "cancelled".
	Kind string
	// Status is the HTTP status to answer with.
	Status int
	// Title and Text, a paragraph each, in plain text.
	Title string
	Text  []string
	// Principal is who is logged in, where that matters; else empty.
	Principal string
	// Ref is a reference that the log line has too; empty where nothing was logged.
	Ref string
	// Links are what to do next, the best first.
	Links []Link
	// Form is a button, or nil.
	Form *Form
}

// Link is a link on a Page.
type Link struct {
	Text, Href string
	NewTab     bool // keep this page open: it holds a form
}

// Form is a button on a Page: a POST of the hidden fields, and of what the person fills
// in, to Action.
type Form struct {
	Action, Button string
	Hidden         map[string]string
	// Fields are filled in by the person; most forms have none.
	Fields []Field

	anyTarget bool // the answer may redirect to anywhere, not to this origin only
}

// Field is a line of text in a Form, which must not be left empty.
type Field struct {
	Name, Label string
	// Type is that of the input element, such as "text" or "password".
	Type string
	// Value is there already; empty for none.
	Value string
	// Autocomplete tells password managers what it is, such as "username".
	Autocomplete string
}

// The pages, but for what depends on the request.
var (
	pageMisdirected = Page{Kind: "misdirected", Status: http.StatusMisdirectedRequest, Title: "Wrong address",
		Text: []string{"This site is not at the address that you asked for. The link leads to the right one."}}
	pageMisconfigured = Page{Kind: "misconfigured", Status: http.StatusInternalServerError, Title: "This page is out of order",
		Text: []string{"The site’s login is set up wrongly for this page, so nobody can be let in. Please tell the site’s webmaster."}}
	pageStoreDown = Page{Kind: "unavailable", Status: http.StatusServiceUnavailable, Title: "Please try again in a moment",
		Text: []string{"The site cannot look up logins just now. Nothing is wrong with your account."}}
	pageForbidden = Page{Kind: "forbidden", Status: http.StatusForbidden, Title: "You may not see this page"}
	pageLoop      = Page{Kind: "loop", Status: http.StatusForbidden, Title: "Logging in does not help",
		Text: []string{"You have just logged in several times, and this page still asks for it, so we stop here instead of going round in circles.",
			"Wait a minute and try again. If your browser restricts cookies, allow them for this site."}}
	pageBadAddress = Page{Kind: "address", Status: http.StatusBadRequest, Title: "This address is too long or malformed",
		Text: []string{"You cannot be logged in for exactly this address. Please start from the site’s front page."}}
	pageBadNext = Page{Kind: "next", Status: http.StatusBadRequest, Title: "This link is broken",
		Text: []string{"The link that brought you here does not lead to a page of this site. Please start from the front page."}}
	pageNoCookies = Page{Kind: "cookies", Status: http.StatusForbidden, Title: "Your browser did not return our cookie",
		Text: []string{"Logging in needs a cookie, which this site set when it sent you to log in, and which did not come back. Allow cookies for this site and try again.",
			"This also happens when you open, in one browser, a login link from another."}}
	pageMalformed = Page{Kind: "malformed", Status: http.StatusBadRequest, Title: "The login did not arrive in one piece",
		Text: []string{"What the login service sent was incomplete or altered. Please try again."}}
	pageRefused = Page{Kind: "refused", Status: http.StatusForbidden, Title: "This login could not be accepted",
		Text: []string{"The login was not for this browser and this page, or it was used before. Please try again."}}
	pageStale = Page{Kind: "stale", Status: http.StatusForbidden, Title: "This login is too old",
		Text: []string{"A login must be used at once. Please try again; if it keeps happening, tell the site’s webmaster that a clock may be wrong."}}
	pageStrength = Page{Kind: "strength", Status: http.StatusForbidden, Title: "This page needs a different kind of login",
		Text: []string{"The login service let you in, but not in the way that this page asks for, such as typing your password just now. Please try again; if it keeps happening, tell the site’s webmaster."}}
	pageCancelled = Page{Kind: "cancelled", Status: http.StatusForbidden, Title: "You cancelled the login",
		Text: []string{"You are not logged in to this site. You can close this page, or try again."}}
	pageDeclined = Page{Kind: "declined", Status: http.StatusForbidden, Title: "The login service did not let you in",
		Text: []string{"You are not logged in to this site. You can try again; if it keeps happening, tell the site’s webmaster."}}
	pageLogout = Page{Kind: "logout", Status: http.StatusOK, Title: "Log out?",
		Text: []string{"This ends your session on this site."}}
	pageLoggedOut = Page{Kind: "logged-out", Status: http.StatusOK, Title: "You are logged out of this site",
		Text: []string{"You may still be logged in to the login service and to other sites. On a shared computer, close the browser as well."}}
	pageLoginAgain = Page{Kind: "login-again", Status: http.StatusUnauthorized, Title: "Please log in again",
		Text: []string{"Your session has ended, or this page wants your password once more."}}
	pageFormKept = Page{Kind: "form-kept", Status: http.StatusUnauthorized, Title: "Please log in again; your form is kept",
		Text: []string{"Your session has ended, or this page wants your password once more. What you filled in has not been stored yet, but this page keeps it for an hour.",
			"First log in again, in a new tab. Then come back to this tab and press Continue."}}
	pageGoBack = Page{Kind: "go-back", Status: http.StatusOK, Title: "You are logged in",
		Text: []string{"Close this tab, go back to the one with your form, and press Continue there."}}
	pageNotYours = Page{Kind: "not-yours", Status: http.StatusForbidden, Title: "This form is somebody else’s",
		Text: []string{"Another person filled it in, before you logged in here. It has not been stored."}}
	pageFormGone = Page{Kind: "form-gone", Status: http.StatusForbidden, Title: "This form cannot be sent any more",
		Text: []string{"It was sent already, or it was kept for too long. It has not been stored again. Check what the site holds before you fill it in anew."}}
)

// pageFor chooses the page for a refused response.
func pageFor(e *webauth.Error) Page {
	switch e.Reason {
	case webauth.ReasonMalformed:
		return pageMalformed
	case webauth.ReasonStale, webauth.ReasonFuture:
		return pageStale
	case webauth.ReasonInteract, webauth.ReasonAuthType:
		return pageStrength
	case webauth.ReasonStatus:
		if e.Status == 410 {
			return pageCancelled
		}
		return pageDeclined
	default:
		return pageRefused
	}
}

// fail logs the event and shows the page with the same reference. Unless the page
// knows better, its link leads to the page that the person wanted.
func (v *exchange) fail(e Event, p Page) {
	e.Ref = respond.Ref()
	p.Ref = e.Ref
	v.log(e)
	if p.Links == nil && v.place != nil {
		p.Links = []Link{{Text: "Try again", Href: v.here()}}
		switch p.Kind {
		case pageBadAddress.Kind, pageBadNext.Kind, pageForbidden.Kind:
			p.Links = []Link{{Text: "Front page", Href: v.place.home()}}
		}
		if v.r.Method == http.MethodPost { // a link would not send the form again
			p.Links = []Link{{Text: "Front page", Href: v.place.home()}}
		}
	}
	v.show(p)
}

// forbid answers a person who is known and may not come in.
func (v *exchange) forbid(s *session, denial Denial) {
	p := pageForbidden
	p.Principal = s.Principal
	p.Text = []string{v.a.policy.missing(denial), "If you think that you should see it, ask the site’s webmaster."}
	if v.cfg.LogoutPath != "" {
		p.Links = []Link{{Text: "Front page", Href: v.place.home()}, {Text: "Log out", Href: v.place.origin + v.cfg.LogoutPath}}
	}
	v.fail(Event{Name: EventForbidden, Reason: webauth.Reason(denial), Principal: s.Principal}, p)
}

// storeDown answers while sessions or one-use marks are unavailable. Nobody is
// logged in by accident meanwhile.
func (v *exchange) storeDown(err error) {
	switch {
	case errors.Is(err, errSessionTooLarge):
		v.fail(Event{Name: EventStoreError, Reason: "session-too-large", Err: err}, pageMisconfigured)
	case v.r.Context().Err() != nil:
		v.w.WriteHeader(http.StatusServiceUnavailable) // the client has gone: no fault of the store
	default:
		v.w.Header().Set("Retry-After", "5")
		v.fail(Event{Name: EventStoreError, Reason: webauth.ReasonStore, Err: err}, pageStoreDown)
	}
}

// misdirected answers a request for a host that is not ours. The page links to the
// configured address, never to what the request says.
func (v *exchange) misdirected() {
	_ = v.spend() // nobody is let in either way
	p := pageMisdirected
	home := v.cfg.Site.Origins()[0]
	p.Links = []Link{{Text: home, Href: home + v.cfg.Site.Path()}}
	v.fail(Event{Name: EventMisdirected, Reason: "host"}, p)
}

// show writes a page.
func (v *exchange) show(p Page) {
	if err := ShowPage(v.w, v.r, p, v.cfg.Page); err != nil {
		v.cfg.Site.Logger().Error("page template", "error", err)
	}
}

// ShowPage answers with a page as a site's Auth would: never cached, without a referrer,
// nothing in it but its own style. It is for packages that have no Auth; dress is a
// Config.Page, or nil for the built-in design. A 401 names Ucam-WebAuth as the scheme
// where WWW-Authenticate is not set yet. The error is that of the built-in template.
func ShowPage(w http.ResponseWriter, r *http.Request, p Page, dress func(http.ResponseWriter, *http.Request, Page)) error {
	respond.NoStore(w.Header())
	h := w.Header()
	if p.Form != nil {
		// Without a referrer, browsers that know no Sec-Fetch-Site would not say either
		// that the form is ours. No page with a form has a response in its address.
		h.Set("Referrer-Policy", "same-origin")
	}
	h.Set("Content-Security-Policy", p.policy())
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	if p.Status == http.StatusUnauthorized && h.Get("WWW-Authenticate") == "" {
		h.Set("WWW-Authenticate", "Ucam-WebAuth")
	}
	if dress != nil {
		dress(w, r, p)
		return nil
	}
	text, err := p.html()
	h.Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(p.Status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(text) // the client's loss if it has gone
	}
	return err
}

// WantsPage reports whether a person opens a page, or sends a form, in a browser and
// will see the answer: by a GET such a person may be sent to log in. Everything else,
// such as a script or a prefetch, wants a short answer and no redirect.
func WantsPage(r *http.Request) bool { return isNavigation(r) || isFormPost(r) }

// html fills in the built-in page. What opens a new tab comes before the form, which
// is for afterwards; other links come after it.
func (p *Page) html() ([]byte, error) {
	data := struct {
		*Page
		Style         template.CSS
		Alert         bool
		Before, After []Link
	}{Page: p, Style: template.CSS(pageStyle), Alert: p.Status >= 400}
	for _, l := range p.Links {
		if l.NewTab {
			data.Before = append(data.Before, l)
		} else {
			data.After = append(data.After, l)
		}
	}
	var b bytes.Buffer
	err := pageTemplate.Execute(&b, data)
	return b.Bytes(), err
}

//go:embed pages/page.html pages/page.css
var pageFiles embed.FS

var (
	pageStyle    = readPage("pages/page.css")
	pageTemplate = template.Must(template.New("page").Parse(readPage("pages/page.html")))
	styleHash    = func() string {
		h := sha256.Sum256([]byte(pageStyle))
		return "'sha256-" + base64.StdEncoding.EncodeToString(h[:]) + "'"
	}()
)

func readPage(name string) string {
	b, err := pageFiles.ReadFile(name)
	if err != nil {
		panic(err) // not embedded: impossible in a build that compiles
	}
	return string(b)
}

// policy is the page's Content-Security-Policy. Browsers apply form-action to the
// redirects after a post as well, so it names where the answer may lead.
func (p *Page) policy() string {
	csp := []string{"default-src 'none'", "style-src " + styleHash, "base-uri 'none'", "frame-ancestors 'none'"}
	switch {
	case p.Form == nil:
		csp = append(csp, "form-action 'none'")
	case !p.Form.anyTarget:
		csp = append(csp, "form-action 'self'")
	}
	return strings.Join(csp, "; ")
}
