package glue_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/site"
)

// played is what came of a script.
type played struct {
	world *attackWorld
	got   outcome
}

// playOut runs a script on a stage of its own, and looks whom the site takes either
// browser for afterwards, at every machine of it.
func playOut(t *testing.T, words, steps []string) *played {
	t.Helper()
	w := newAttackWorld(t, words)
	w.server("soc")
	w.run(steps)
	require.NotNil(t, w.last.Response, "a script that asks for nothing")
	got := outcome{
		Status: w.last.StatusCode, Page: w.last.kind(), Sees: seenBy(w.last), Location: w.last.Header.Get("Location"),
	}
	if e := w.lastEvent(); e != nil {
		got.Event, got.Reason = e.Name, string(e.Reason)
		w.assertLogged(e)
	}
	got.Victim, got.Attacker = w.whoIs(w.people["victim"], w.servers["soc"]), w.whoIs(w.people["attacker"], w.servers["soc"])
	if site := w.servers["soc2"]; site != nil {
		assert.Equal(t, got.Victim, w.whoIs(w.people["victim"], site), "all machines agree")
		assert.Equal(t, got.Attacker, w.whoIs(w.people["attacker"], site), "all machines agree")
	}
	return &played{world: w, got: got}
}

// require fails the test unless the outcome is the one that is wanted.
func (p *played) require(want outcome) {
	w, got := p.world, p.got
	t := w.t
	t.Helper()
	for name, value := range want.Asks {
		assert.Equal(t, value, fields(t, got.Location).Get(name), "%s of the request to the login service", name)
	}
	if strings.HasPrefix(got.Location, w.at.fake.(fakeWLS).Service().AuthURL+"?") {
		got.Location = "wls"
	}
	got.Location = strings.Replace(got.Location, "http://"+"localhost:"+port(w.at.base), "http://localhost", 1)
	want.Location = w.people["victim"].expand(want.Location)
	if want.Hides != "" {
		assert.NotContains(t, w.last.Body, want.Hides)
		assert.NotContains(t, fmt.Sprint(w.last.Header), want.Hides)
	}
	want.Asks, want.Hides = nil, ""
	require.Equal(t, want, got)
}

func port(base string) string {
	_, port, _ := strings.Cut(strings.TrimPrefix(base, "http://"), ":")
	return port
}

// assertLogged looks for the log line that belongs to an event.
func (w *attackWorld) assertLogged(e *site.Event) {
	for _, line := range w.at.logLines() {
		reason, _ := line["reason"].(string)
		ref, _ := line["ref"].(string)
		if line["msg"] == "wls "+e.Name && line["event"] == e.Name && reason == string(e.Reason) && ref == e.Ref {
			return
		}
	}
	assert.Fail(w.t, "an event without its log line", "%s, reason %q", e.Name, e.Reason)
}

// whoIs tells whom a site takes a browser for: a principal, or nobody.
func (w *attackWorld) whoIs(p *actor, site *attackedSite) string {
	private := p.request(site, http.MethodGet, "/private/", asScript, "")
	who := seenBy(private)
	if !slices.ContainsFunc(p.jar, func(c storedCookie) bool { return c.path != "/" }) {
		optional := p.request(site, http.MethodGet, "/optional", asScript, "")
		assert.Equal(w.t, who, strings.TrimSuffix(seenBy(optional), "nobody"), "Require and Optional agree")
	}
	if who == "" {
		assert.Contains(w.t, []int{http.StatusUnauthorized, http.StatusForbidden}, private.StatusCode)
	}
	return who
}
