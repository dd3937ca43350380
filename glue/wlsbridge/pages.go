package wlsbridge

import (
	"embed"
	"html"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"unicode"

	"github.com/ucam-webauth/go-webauth/glue/internal/showntext"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

// The pages, but for what depends on the request.
var (
	pageMethod = site.Page{Kind: "bridge-method", Status: http.StatusMethodNotAllowed, Title: "This address is for browsers",
		Text: []string{"Start from the web site that you want to go to: it sends you here to log in."}}
	pageNavigation = site.Page{Kind: "bridge-navigation", Status: http.StatusForbidden, Title: "Open this page in a window of its own",
		Text: []string{"Go back to the web site, and open its login in a window of its own. People log in here, so it works neither within another page nor in the background. No site was told anything."}}
	pageLimit = site.Page{Kind: "bridge-limit", Status: http.StatusTooManyRequests, Title: "Too many logins at once",
		Text: []string{"Wait a minute, and then try again. If it keeps happening, tell whoever runs the web site that you wanted.",
			"You were sent here very often in a short time, so we stop here instead of going round in circles."}}
	pageRequest = site.Page{Kind: "bridge-request", Status: http.StatusBadRequest, Title: "This link to the login is broken",
		Text: []string{"Go back to the web site and try again. If it keeps happening, tell whoever runs it.",
			"It sent you here to log in, but did not say in a way that we understand where to send you back to. Nothing was done."}}
	pageSite = site.Page{Kind: "bridge-site", Status: http.StatusForbidden, Title: "This web site may not use this login",
		Text: []string{"Close this page, unless you know the web site. If you run it, ask whoever runs this login to register its address.",
			"The web site that sent you here is not among those that we know, so we send you nowhere and tell nobody who you are."}}
	pageCookies = site.Page{Kind: "bridge-cookies", Status: http.StatusForbidden, Title: "Please allow cookies, and try again",
		Text: []string{"Allow cookies for this login service in your browser’s settings, go back to the web site and try again. Logging in needs one, which this service set and which did not come back."}}
	pageUnfit = site.Page{Kind: "bridge-unfit", Status: http.StatusForbidden, Title: "You cannot log in to that web site from here",
		Text: []string{"Please tell whoever runs this login, and quote the reference below. Your name cannot be written in the way in which the web site is told names."}}
	pageStoreDown = site.Page{Kind: "unavailable", Status: http.StatusServiceUnavailable, Title: "Please try again in a moment",
		Text: []string{"This service cannot look up logins just now. Nothing is wrong with your account."}}
)

//go:embed pages/*.html
var pageFiles embed.FS

var pageTemplates = template.Must(template.ParseFS(pageFiles, "pages/*.html"))

// maxWords is how much of a text of a site's is shown, in characters.
const maxWords = 300

// siteWords returns desc or msg as plain text: they may hold HTML character references (WAA2WLS,
// "Authentication request"). What does not show, turns a text around or piles up over what
// stands beside it could make it look like ours.
func siteWords(text string) string {
	text = html.UnescapeString(text)
	if showntext.PilesUp(text) {
		text = strings.Map(func(c rune) rune {
			if unicode.Is(unicode.M, c) {
				return -1
			}
			return c
		}, text)
	}
	text = strings.Map(func(c rune) rune {
		if showntext.Unseen(c) {
			return ' '
		}
		return c
	}, text)
	if runes := []rune(text); len(runes) > maxWords {
		text = string(runes[:maxWords]) + "…"
	}
	return strings.TrimSpace(text)
}

// hostAsked returns the origin of a URL that was refused, for the log.
func hostAsked(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
