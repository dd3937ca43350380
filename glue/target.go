package glue

import (
	"compress/flate"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/internal/cookie"
	"github.com/ucam-webauth/go-webauth/glue/internal/localpath"
	"github.com/ucam-webauth/go-webauth/glue/internal/respond"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// What people ask for may be too long for the URL that sends them to the login service.
// Such a target waits meanwhile in the browser: it is parked, sealed, in cookies that are
// bound to the browser's secret and named after a random reference. The URL that is
// signed ends in the reference alone, so that the token's MAC binds the cookies to that
// one login, and on the way back the browser goes on to the target. A cookie that is
// forged, or another login's, never opens under the reference of this one.
const (
	targetMark = "wls-target="           // the end of the query of a URL that stands for a target
	targetLife = time.Hour + time.Minute // those of tokens, which live for all of an hour

	// maxTargets is how many targets wait at once: as many tabs, and no more, because
	// front servers bound what all cookies of a request may have.
	maxTargets = 4
	// A target is split over several cookies, of each of which browsers keep 4096 bytes
	// of name and value.
	maxChunks, chunkSize = 4, 3600
	// maxCookiePath is the longest path that a cookie is limited to.
	maxCookiePath = 200
	refLen        = 22 // of randomID
)

var pageTargetLost = site.Page{Kind: "target-lost", Status: http.StatusOK, Title: "Part of the address is missing",
	Text: []string{"To see all of the page, open your link or bookmark again. The link below leads to the page without that part.",
		"The address that you opened is too long for the login service, and your browser did not bring back what it was to keep of it meanwhile."}}

// parkedTarget is where a target waits: under which reference, and the path of its cookies.
type parkedTarget struct {
	ref, path string
	chunks    int
}

// destination is where a person goes on to after a login.
type destination struct {
	url   string
	lost  bool         // url is what is left of a target that did not come back
	waits parkedTarget // where the target was; ref is empty for what was not parked
}

// loginURL returns where to send the browser, to come back to the URL it asked for. Where
// that URL is too long to be signed, it is parked.
func (x *exchange) loginURL(w *way, secret webauth.BrowserSecret, req webauth.Request) (string, error) {
	location, err := x.signedURL(w, secret, req, x.path, x.query)
	if !errors.Is(err, webauth.ErrTooLong) {
		return location, err
	}
	target := x.goal
	if target == "" {
		target = localpath.WithQuery(x.path, x.query)
	}
	if len(target) > localpath.MaxTarget {
		return "", err
	}
	ref := randomID()
	for _, landing := range x.landings(target) {
		path, query, _ := strings.Cut(landing, "?")
		query = strings.TrimPrefix(query+"&"+targetMark+ref, "&")
		if location, err = x.signedURL(w, secret, req, path, query); err == nil {
			if w.info.Callback {
				path, _, _ = strings.Cut(x.cfg.LoginPath, "?") // where it is wanted
			}
			return location, x.park(secret, ref, path, target)
		}
	}
	return "", err
}

func (x *exchange) signedURL(w *way, secret webauth.BrowserSecret, req webauth.Request, path, query string) (string, error) {
	req.URL = x.origin.url(path, query)
	return w.Begin(x.r.Context(), secret, req)
}

// landings are the addresses, the best first, where the login service may send a person
// back to whose target is parked. They are also what is left if the target is lost.
func (x *exchange) landings(target string) []string {
	var all []string
	if x.goal != "" { // of Login, which knows the way from there
		path, _, _ := strings.Cut(target, "?")
		all = append(all, x.path+"?next="+url.QueryEscape(path))
	}
	all = append(all, x.path)
	if x.cfg.LoginPath != "" && x.cfg.LoginPath != x.path {
		all = append(all, x.cfg.LoginPath) // even the path is too long
	}
	return all
}

// park has a target wait in the browser, for the path at which the answer arrives. The oldest
// goes where too many would.
func (x *exchange) park(secret webauth.BrowserSecret, ref, path, target string) error {
	name := x.origin.cookies.targetName(ref)
	sealed, err := x.origin.targets.Seal(name, x.now.Add(targetLife), append([]byte(secret.Binding()), deflate(target)...))
	if err != nil {
		return err
	}
	parked := parkedTarget{ref: ref, path: cookiePath(path)}
	for ; sealed != ""; parked.chunks++ {
		n := min(len(sealed), chunkSize)
		x.origin.cookies.setTarget(x.w, parked, parked.chunks, sealed[:n])
		sealed = sealed[n:]
	}
	x.parking = append(x.parking, parked)
	all := append(x.parked(), x.parking...)
	for ; len(all) > maxTargets; all = all[1:] {
		x.dropTarget(all[0])
	}
	return x.setParked(all)
}

// wanted returns what a signed URL of ours stands for.
func (q *request) wanted(signed string) destination {
	left, ref, ok := cutTargetMark(signed)
	if !ok {
		return destination{url: signed}
	}
	d := destination{url: left, lost: true, waits: parkedTarget{ref: ref, path: cookiePath(q.path)}}
	var sealed strings.Builder
	for ; d.waits.chunks < maxChunks; d.waits.chunks++ {
		chunk := cookie.Get(q.r, chunkName(q.origin.cookies.targetName(ref), d.waits.chunks))
		if chunk == "" {
			break
		}
		sealed.WriteString(chunk)
	}
	if target, ok := q.openTarget(ref, sealed.String()); ok {
		d.url, d.lost = q.origin.base+target, false
	}
	return d
}

// openTarget opens what waited under a reference, for this browser.
func (q *request) openTarget(ref, sealed string) (target string, ok bool) {
	plain, _, err := q.origin.targets.Open(q.origin.cookies.targetName(ref), sealed, q.now)
	if n := len(q.secret.Binding()); err != nil || len(plain) < n || !q.secret.Fits(plain[:n]) {
		return "", false
	} else if target, ok = inflate(plain[n:]); !ok {
		return "", false
	}
	// We sealed it, and so looked at it already: this is for a slip of ours.
	path, _, _ := strings.Cut(target, "?")
	return target, strings.HasPrefix(path, "/") && q.cfg.Site.Reaches(path)
}

// goOn sends a browser that came back from the WLS to what a signed URL stands for.
// Principal is who is logged in now, as far as that is known; depth is the request's.
func (x *exchange) goOn(signed, principal string, depth int) {
	d := x.wanted(signed)
	x.loopReturn(depth, d.url)
	if d.waits.ref != "" {
		x.forgetTarget(d.waits)
	}
	if d.lost {
		x.targetLost(d, principal)
		return
	}
	respond.Redirect(x.w, x.r, d.url)
}

// answersTarget deals with a person who opens a URL that stands for a target without a
// response: by a reload, or from the history. It reports whether it answered.
func (x *exchange) answersTarget() bool {
	if !strings.Contains(x.query, targetMark) || !isNavigation(x.r) {
		return false
	}
	d := x.wanted(x.origin.url(x.path, x.query))
	switch {
	case d.waits.ref == "":
		return false
	case d.lost:
		x.targetLost(d, "")
	default:
		respond.Redirect(x.w, x.r, d.url)
	}
	return true
}

// targetLost tells a person that a part of the address did not come back.
func (x *exchange) targetLost(d destination, principal string) {
	page := pageTargetLost
	page.Principal = principal
	page.Links = []site.Link{{Text: "Go on to the page", Href: d.url}}
	x.fail(site.Event{Name: EventTargetLost, Principal: principal}, page)
}

// parked are the targets that wait in this browser, the oldest first, as far as it has
// told: tabs that begin at the same moment do not know of one another.
func (q *request) parked() []parkedTarget {
	var all []parkedTarget
	for line := range strings.Lines(q.opened(q.origin.targets, q.origin.cookies.parked)) {
		f := strings.Fields(line)
		if len(f) != 3 {
			return nil
		}
		chunks, _ := strconv.Atoi(f[1])
		all = append(all, parkedTarget{ref: f[0], path: f[2], chunks: chunks})
	}
	return all
}

func (x *exchange) setParked(all []parkedTarget) error {
	name := x.origin.cookies.parked
	if len(all) == 0 {
		x.origin.cookies.clear(x.w, name)
		return nil
	}
	var b strings.Builder
	for _, p := range all {
		b.WriteString(p.ref + " " + strconv.Itoa(p.chunks) + " " + p.path + "\n")
	}
	value, err := x.origin.targets.Seal(name, x.now.Add(targetLife), []byte(b.String()))
	if err == nil {
		h := x.w.Header()
		h["Set-Cookie"] = slices.DeleteFunc(h["Set-Cookie"], func(c string) bool { return strings.HasPrefix(c, name+"=") })
		x.origin.cookies.setBelow(x.w, name, value, "/", targetLife)
	}
	return err
}

// forgetTarget removes the cookies of a target.
func (x *exchange) forgetTarget(p parkedTarget) {
	before := x.parked()
	var others []parkedTarget
	for _, other := range before {
		if other.ref != p.ref {
			others = append(others, other)
		} else {
			p = other
		}
	}
	x.dropTarget(p)
	if len(others) < len(before) {
		if err := x.setParked(others); err != nil {
			x.log(site.Event{Name: EventStoreError, Err: err})
		}
	}
}

// forgetTargets removes the cookies of all targets.
func (x *exchange) forgetTargets() {
	all := x.parked()
	for _, p := range all {
		x.dropTarget(p)
	}
	if len(all) > 0 {
		_ = x.setParked(nil) // which cannot fail
	}
}

func (x *exchange) dropTarget(p parkedTarget) {
	for i := range min(p.chunks, maxChunks) {
		x.origin.cookies.setTarget(x.w, p, i, "")
	}
}

// cutTargetMark finds the reference at the end of a URL.
func cutTargetMark(signed string) (left, ref string, ok bool) {
	i := len(signed) - len(targetMark) - refLen
	if i < 1 || !strings.HasPrefix(signed[i:], targetMark) || signed[i-1] != '?' && signed[i-1] != '&' || !isRef(signed[i+len(targetMark):]) {
		return "", "", false
	}
	return signed[:i-1], signed[i+len(targetMark):], true
}

// isRef reports whether s has the form of a reference: that of randomID.
func isRef(s string) bool { return webauth.BrowserSecret(s).Valid() }

// cookiePath is the path that the cookies of a target are limited to, so that no other
// request is longer for them: where the answer arrives, or as much of it as a cookie's
// attribute can say.
func cookiePath(path string) string {
	i := strings.IndexFunc(path, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == ';' || r == ',' || r == '"' })
	if i < 0 {
		i = len(path)
	}
	switch {
	case !strings.HasPrefix(path, "/"):
		return "/"
	case i == len(path) && i <= maxCookiePath:
		return path
	}
	path = path[:min(i, maxCookiePath)]
	return path[:strings.LastIndexByte(path, '/')+1]
}

// pathOf is the path of a URL of ours.
func (q *request) pathOf(url string) string {
	path, _, _ := strings.Cut(strings.TrimPrefix(url, q.origin.base), "?")
	return path
}

func deflate(text string) string {
	var b strings.Builder
	w, _ := flate.NewWriter(&b, flate.BestCompression) // the level is one that there is
	_, _ = io.WriteString(w, text)                     // a builder takes all
	_ = w.Close()
	return b.String()
}

// inflate undoes deflate, for no more than a target may have.
func inflate(data string) (string, bool) {
	text, err := io.ReadAll(io.LimitReader(flate.NewReader(strings.NewReader(data)), localpath.MaxTarget+1))
	return string(text), err == nil && len(text) <= localpath.MaxTarget
}

// targetName is the name of a target's cookies, but for the number at its end.
func (j *cookieJar) targetName(ref string) string { return j.target + "." + ref }

func chunkName(name string, i int) string { return name + "." + strconv.Itoa(i) }

// setTarget sets one of a target's cookies; an empty value removes it.
func (j *cookieJar) setTarget(w http.ResponseWriter, p parkedTarget, i int, value string) {
	life := targetLife
	if value == "" {
		life = -time.Second
	}
	j.setBelow(w, chunkName(j.targetName(p.ref), i), value, p.path, life)
}

// setBelow sets a cookie that lasts for a while, below a path.
func (j *cookieJar) setBelow(w http.ResponseWriter, name, value, path string, life time.Duration) {
	c := j.make(name, value)
	c.Path, c.MaxAge = path, int(life/time.Second)
	http.SetCookie(w, c)
}

// targetBase is the name in a jar of the cookie that holds a part of a target; empty for
// the name of any other cookie.
func targetBase(name string) string {
	name, chunk, _ := cutLast(name, ".")
	base, ref, ok := cutLast(name, ".")
	if !ok || len(chunk) != 1 || !isRef(ref) {
		return ""
	}
	return base
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}
