package xsrf

import (
	"log/slog"
	"net/http"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
)

var (
	pageCrossOrigin = site.Page{Kind: "cross-origin", Status: http.StatusForbidden, Title: "This was not sent from this site",
		Text: []string{"If you meant to do it, open the page on this site and do it there.",
			"Nothing was done: another site tried to do something here in your name, or your browser did not say that it was this site."}}
	pageUnavailable = site.Page{Kind: "unavailable", Status: http.StatusServiceUnavailable, Title: "Please try again in a moment",
		Text: []string{"The site cannot check forms just now. Nothing was done."}}
	pageTooLarge = site.Page{Kind: "form-too-large", Status: http.StatusRequestEntityTooLarge, Title: "This form is too large",
		Text: []string{"Go back, shorten it, and send it again. You sent more than this site takes, and nothing was done."}}
	pageExpired = site.Page{Kind: "form-expired", Status: http.StatusForbidden, Title: "This form is out of date",
		Text: []string{"Go back and copy what you wrote. Then reload the page, and send the form again.",
			"Nothing was done: the form was opened before you logged in or too long ago, or it was sent already."}}
	pageForgotten = site.Page{Kind: "form-forgotten", Status: http.StatusForbidden, Title: "This form was opened before a restart",
		Text: []string{"Look whether it was sent already. If not, go back and copy what you wrote. Then reload the page, and send the form again.",
			"Nothing was done now: the site was restarted since you opened the form, and no longer knows whether it was sent."}}
)

// Refuse answers a request that [Guard.Verify] or [Guard.VerifyOrigin] did not pass, as
// [Guard.Check] and [Guard.Protect] do: with a page for people, with JSON or text for
// scripts, and with a log line that has the reason for operators. Where people log in, a
// request for another host is refused as one.
func (g *Guard) Refuse(w http.ResponseWriter, r *http.Request, err error) {
	if _, ours := g.cfg.Site.OriginOf(r.Host); !ours && g.cfg.Auth != nil {
		d, _ := g.cfg.Auth.Evaluate(r) // which looks up no session there
		d.Refuse(w)
		return
	}
	reason, known := reasons[err]
	page := pageExpired
	switch {
	case !known:
		reason, page = string(webauth.ReasonStore), pageUnavailable
		w.Header().Set("Retry-After", "5")
	case err == ErrForgotten:
		page = pageForgotten
	case err == ErrTooLarge:
		page = pageTooLarge
	case err == ErrCrossOrigin || err == ErrUpgrade:
		page = pageCrossOrigin
	}
	g.cfg.Site.Refuse(w, r, site.Event{From: "xsrf", Name: glue.EventRefused, Reason: reason, Level: slog.LevelWarn, Err: err}, page)
}
