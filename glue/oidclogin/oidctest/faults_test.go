package oidctest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/oidclogin/oidctest"
)

// TestEveryFaultDoesSomething: what the provider says to sites and browsers is other than usual.
func TestEveryFaultDoesSomething(t *testing.T) {
	// Seen in the requests that they are about, below.
	special := map[oidctest.Fault]bool{
		oidctest.FaultIgnorePrompt: true, oidctest.FaultSilentInteracts: true, oidctest.FaultNoPKCE: true,
		oidctest.FaultDiscoverySlow: true, oidctest.FaultKeysSlow: true, oidctest.FaultTokenSlow: true,
		oidctest.FaultCodeOther: true, oidctest.FaultCodeOtherNoPKCE: true, oidctest.FaultCodeReplayed: true,
	}
	usual := transcript(t, oidctest.FaultNone)
	require.Equal(t, usual, transcript(t, oidctest.FaultNone), "it can be repeated")
	names := map[oidctest.Fault]bool{}
	for _, f := range oidctest.Faults() {
		assert.False(t, names[f], "two faults are called %q", f)
		names[f] = true
		assert.Regexp(t, `^[a-z0-9-]+$`, f)
		if !special[f] {
			assert.NotEqual(t, usual, transcript(t, f), "fault %q", f)
		}
	}
	t.Logf("%d faults", len(names))
}

// random is what is other each time.
var random = regexp.MustCompile(`[A-Z2-7]{26}|127\.0\.0\.1(:|%3A)[0-9]+`)

// transcript is all that a provider with a fault says in the course of a login and a logout.
func transcript(t *testing.T, f oidctest.Fault) string {
	p := oidctest.New(t, atNoon())
	p.Always(oidctest.Outcome{Fault: f})
	var b strings.Builder
	ask := func(r *http.Request) (body string) {
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			fmt.Fprintf(&b, "%s: no answer\n", r.URL.Path)
			return ""
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
		body = string(text)
		fmt.Fprintf(&b, "%s: %d %s, %d ID tokens\n", r.URL.Path, resp.StatusCode, resp.Header.Get("Content-Type"), strings.Count(body, "id_token\""))
		if resp.StatusCode != http.StatusOK || r.URL.Path != "/token" || err != nil {
			fmt.Fprintln(&b, body)
		}
		return body
	}
	for _, path := range []string{"/.well-known/openid-configuration", "/keys"} {
		r, err := http.NewRequest(http.MethodGet, p.Issuer()+path, nil)
		require.NoError(t, err)
		ask(r)
	}
	back, err := p.Respond(authURL(p, nil), "test0001")
	require.NoError(t, err)
	fmt.Fprintln(&b, back)
	code := query(t, strings.Replace(back, "#", "?", 1)).Get("code")
	r, err := http.NewRequest(http.MethodPost, p.Issuer()+"/token", strings.NewReader(tokenForm(code).Encode()))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(oidctest.ClientID, oidctest.ClientSecret)
	tokens := ask(r)
	var parsed map[string]any
	if err := json.Unmarshal([]byte(tokens), &parsed); err != nil {
		fmt.Fprintln(&b, "/token:", tokens)
	}
	b.WriteString(token(p, parsed["id_token"]))
	access, _ := parsed["access_token"].(string)
	delete(parsed, "id_token")
	fmt.Fprintln(&b, parsed)
	r, err = http.NewRequest(http.MethodGet, p.Issuer()+"/userinfo", nil)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+access)
	ask(r)
	b.WriteString(token(p, p.LogoutToken(oidctest.ClientID, "test0001")))
	return random.ReplaceAllString(strings.ReplaceAll(b.String(), halfHash(access), "its hash"), "R")
}

// token is what a JWT says, and whether it is signed.
func token(p *oidctest.Provider, value any) string {
	jwt, _ := value.(string)
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 || parts[2] == "" || strings.ContainsAny(jwt, " \n={") {
		return fmt.Sprintf("%d parts, %d in the last: %v\n", len(parts), len(parts[len(parts)-1]), value == nil)
	}
	return fmt.Sprintln(decoded(parts[0]), decoded(parts[1]), signed(p, jwt))
}

// TestSlowFaults: an answer waits, until the provider is closed.
func TestSlowFaults(t *testing.T) {
	for f, path := range map[oidctest.Fault]string{
		oidctest.FaultDiscoverySlow: "/.well-known/openid-configuration", oidctest.FaultKeysSlow: "/keys", oidctest.FaultTokenSlow: "/token",
	} {
		var p *oidctest.Provider
		p = oidctest.New(t, func(c *oidctest.Config) {
			c.SlowFor = time.Hour
			c.OnExchange = func(e oidctest.Exchange) {
				if e.Reply == oidctest.ReplyJSON {
					p.Close()
				}
			}
		})
		p.Always(oidctest.Outcome{Fault: f})
		method, body := http.MethodGet, ""
		if f == oidctest.FaultTokenSlow {
			method, body = http.MethodPost, tokenForm(respond(t, p, nil, "test0001").Get("code")).Encode()
		}
		r, err := http.NewRequest(method, p.Issuer()+path, strings.NewReader(body))
		require.NoError(t, err)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.SetBasicAuth(oidctest.ClientID, oidctest.ClientSecret)
		resp, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		assert.Empty(t, readAll(t, resp), f)
		resp.Body.Close()
	}
}

func TestFaultIgnorePrompt(t *testing.T) {
	p := oidctest.New(t)
	p.Always(oidctest.Outcome{Fault: oidctest.FaultIgnorePrompt})
	for _, edit := range []func(url.Values){set("prompt", "login"), set("max_age", "0")} {
		assert.NotEmpty(t, respond(t, p, edit, "test0001", oidctest.SignedOn).Get("code"))
	}
}

func TestFaultSilentInteracts(t *testing.T) {
	p := oidctest.New(t)
	p.Always(oidctest.Outcome{Fault: oidctest.FaultSilentInteracts})
	resp, _ := get(t, noWait(p), authURL(p, set("prompt", "none")))
	assert.Equal(t, http.StatusOK, resp.StatusCode, "the form")
	assert.NotEmpty(t, respond(t, p, set("prompt", "none"), "test0001").Get("code"))
}

func TestFaultsOfCodes(t *testing.T) {
	p := oidctest.New(t)
	play := func(f oidctest.Fault, user string) string {
		p.Next(oidctest.Outcome{Fault: f})
		return respond(t, p, nil, user).Get("code")
	}
	wrong := tokenForm(play(oidctest.FaultNoPKCE, "test0001"))
	wrong.Set("code_verifier", "another")
	status, _ := exchange(t, p, wrong, nil)
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, wrong.Get("code"), play(oidctest.FaultCodeReplayed, "test0001"))

	others := play(oidctest.FaultNone, "test0002")
	assert.Equal(t, others, play(oidctest.FaultCodeOther, "test0001"))
	assert.NotEqual(t, others, play(oidctest.FaultCodeOther, "test0002"), "it would be their own")

	others = play(oidctest.FaultNoPKCE, "test0002")
	wrong.Set("code", play(oidctest.FaultCodeOtherNoPKCE, "test0001"))
	assert.Equal(t, others, wrong.Get("code"))
	status, answer := exchange(t, p, wrong, nil)
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, "test0002", part(t, answer["id_token"].(string), 1)["sub"])
}
