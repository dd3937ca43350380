package wlsbridge

import (
	"log/slog"
	"net/http"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/internal/respond"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

// Names of events, whose From is "bridge".
const (
	EventAnswered   = "answered"    // a site was told who somebody is
	EventConfirm    = "confirm"     // a person was asked whether a site may be told
	EventFailed     = "failed"      // a login failed, as the site or the person was told
	EventRefused    = "refused"     // a request was not answered
	EventStoreError = "store-error" // one-use marks are unavailable
)

// report reports to the operators. The attributes' names are stable.
func (x *exchange) report(e site.Event) {
	e.From = "bridge"
	switch e.Name {
	case EventConfirm:
		e.Level = slog.LevelDebug
	case EventRefused:
		e.Level = slog.LevelWarn
	case EventStoreError:
		e.Level = slog.LevelError
	}
	x.b.site.Report(x.r, e)
}

// show reports an event and shows a page, with the same reference where something went wrong.
func (x *exchange) show(e site.Event, p site.Page) {
	if p.Status != http.StatusOK {
		e.Ref = respond.Ref()
	}
	x.report(e)
	p.Ref, p.Principal = e.Ref, e.Principal
	x.b.site.Show(x.w, x.r, p)
}

// stop answers a request that no site hears of.
func (x *exchange) stop(reason string, err error, p site.Page) {
	e := site.Event{From: "bridge", Name: EventRefused, Reason: reason, Level: slog.LevelWarn, Err: err}
	if id, ok := glue.IdentityFrom(x.r.Context()); ok {
		e.Principal = id.Principal
	}
	if x.ask != nil && x.ask.URL != "" && x.site == nil {
		e.More = []slog.Attr{slog.String("site", hostAsked(x.ask.URL))}
	}
	if x.site != nil {
		e.More = []slog.Attr{slog.String("site", x.site.origin+x.site.path)}
	}
	if p.Links == nil {
		p.Links = []site.Link{} // there is nothing here to go to
	}
	x.b.site.Refuse(x.w, x.r, e, p)
}

// storeDown answers where nobody can know what was used.
func (x *exchange) storeDown(err error) {
	x.w.Header().Set("Retry-After", "5")
	e := site.Event{Name: EventStoreError, Err: err}
	x.show(e, pageStoreDown)
}
