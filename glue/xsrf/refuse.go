package xsrf

import (
	"log/slog"
	"net/http"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// Refuse answers what [Guard.Verify] or [Guard.VerifyOrigin] did not pass, as [Guard.Check]
// and [Guard.Protect] do: a page for people, JSON or text for
// scripts, a log line with the reason for operators.
func (g *Guard) Refuse(w http.ResponseWriter, r *http.Request, err error) {
	reason, known := reasons[err]
	page := glue.Page{Kind: "cross-origin", Status: http.StatusForbidden, Title: "This was not sent from this site",
		Text: []string{"Another site tried to do something here in your name, or your browser did not say that it was this site. Nothing was done.",
			"If you meant to do it, open the page on this site and do it there."}}
	switch {
	case !known:
		reason = string(webauth.ReasonStore)
		page = glue.Page{Kind: "unavailable", Status: http.StatusServiceUnavailable, Title: "Please try again in a moment",
			Text: []string{"The site cannot check forms just now. Nothing was done."}}
		w.Header().Set("Retry-After", "5")
	case err == ErrTooLarge:
		page = glue.Page{Kind: "form-too-large", Status: http.StatusRequestEntityTooLarge, Title: "This form is too large",
			Text: []string{"You sent more than this site takes. Nothing was done. Go back, shorten it, and send it again."}}
	case err != ErrCrossOrigin && err != ErrUpgrade:
		page = glue.Page{Kind: "form-expired", Status: http.StatusForbidden, Title: "This form is out of date",
			Text: []string{"It was opened before you logged in or too long ago, or it was sent already. Nothing was done.",
				"Go back, reload the page, and send the form again. Copy what you wrote first."}}
	}
	if g.cfg.Auth != nil {
		g.cfg.Auth.Refuse(w, r, glue.Event{Name: glue.EventRefused, Reason: webauth.Reason(reason), Err: err}, page)
		return
	}
	g.cfg.Site.Logger().LogAttrs(r.Context(), slog.LevelWarn, "xsrf refused",
		slog.String("reason", reason), slog.String("path", r.URL.Path), slog.String("error", err.Error()))
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, page.Title+". "+page.Text[0], page.Status)
}
