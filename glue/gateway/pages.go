package gateway

import (
	"log/slog"
	"net/http"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

// The gateway's pages beside those of package glue.
var (
	pageAddress = site.Page{Kind: "address", Status: http.StatusBadRequest, Title: "This address is malformed",
		Text: []string{"Please start from the site’s front page. The address can be read in more than one way, and we do not guess."}}
	pageMethod = site.Page{Kind: "method", Status: http.StatusMethodNotAllowed, Title: "This cannot be done here",
		Text: []string{"Please start from the site’s front page. The site does not answer requests of this kind."}}
	pageNotFound = site.Page{Kind: "not-found", Status: http.StatusNotFound, Title: "There is nothing here",
		Text: []string{"Check the address for a slip, or follow the link below."}}
	pageForbidden = site.Page{Kind: "forbidden", Status: http.StatusForbidden, Title: "You may not see this page",
		Text: []string{"If you think that you should see it, ask the site’s webmaster, and quote the reference below.", "It is for particular people, and you are not among them."}}
	pageTooLarge = site.Page{Kind: "too-large", Status: http.StatusRequestEntityTooLarge, Title: "This is too large",
		Text: []string{"Make it smaller, and send it again. You sent more than this site takes, and it was not stored."}}
	pageBadRequest = site.Page{Kind: "incomplete", Status: http.StatusBadRequest, Title: "This did not arrive in one piece",
		Text: []string{"Please try again. What you sent broke off or was malformed."}}
	pageSlowBody = site.Page{Kind: "slow-body", Status: http.StatusRequestTimeout, Title: "This took too long to arrive",
		Text: []string{"Please try again on a better connection. What you sent came so slowly that the site gave up, and it was not stored."}}
	pageDown = site.Page{Kind: "backend-down", Status: http.StatusBadGateway, Title: "This part of the site does not answer",
		Text: []string{"Please try again in a few minutes; if it keeps happening, tell the site’s webmaster, and quote the reference below. Nothing is wrong with your account."}}
	pageBusy = site.Page{Kind: "backend-busy", Status: http.StatusServiceUnavailable, Title: "This part of the site is busy",
		Text: []string{"Please try again in a moment."}}
	pageSlow = site.Page{Kind: "backend-slow", Status: http.StatusGatewayTimeout, Title: "This part of the site takes too long to answer",
		Text: []string{"Check before you try again: it may or may not have done what you asked for. If it keeps happening, tell the site’s webmaster, and quote the reference below."}}
	pageIdentity = site.Page{Kind: "misconfigured", Status: http.StatusInternalServerError, Title: "This page is out of order",
		Text: []string{"Please tell the site’s webmaster, and quote the reference below. The site cannot say safely who you are."}}
)

func (c *core) refuse(w http.ResponseWriter, r *http.Request, reason string, err error, p site.Page) {
	c.site.Refuse(w, r, refused(reason, err), p)
}

// refused is what operators are told of a request that the gateway refuses.
func refused(reason string, err error) site.Event {
	return site.Event{From: "wls", Name: glue.EventRefused, Reason: reason, Level: slog.LevelWarn, Err: err}
}

func (c *core) badMethod(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
	c.refuse(w, r, "method", nil, pageMethod)
}

func (c *core) badPath(w http.ResponseWriter, r *http.Request, err error) {
	c.refuse(w, r, "path", err, pageAddress)
}

func (c *core) notFound(w http.ResponseWriter, r *http.Request) {
	p := pageNotFound
	p.Links = c.beginnings(r.Host)
	c.refuse(w, r, "no-backend", nil, p)
}

// beginnings are links to where people can begin at a host: its front page or, where no rule
// has that, what the first rule is for that asks nobody for a password of its own.
func (c *core) beginnings(host string) []site.Link {
	if c.match(host, "/") != c.nothing {
		return []site.Link{{Text: "Front page", Href: "/"}}
	}
	for i := range c.cfg.Rules {
		for _, ru := range c.rules[host] {
			if ru.cfg == &c.cfg.Rules[i] && ru.cfg.Access != Basic {
				return []site.Link{{Text: "Go to " + ru.path + "/", Href: ru.path + "/"}}
			}
		}
	}
	return []site.Link{}
}
