package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	mathrand "math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"
)

// api is an application that uses the site's API for people: it gets tokens by codes,
// uses, refreshes and revokes them, and now and then does at two machines at once what
// must work once only.
type api struct {
	soak       *soak
	machines   []string // their addresses
	id, secret string
	client     *http.Client // of the application

	mu               sync.Mutex
	dead             []string // tokens whose end was confirmed, the latest last
	issued, revoked  int
	usedTwice, both  int // codes and refresh tokens sent twice at once; and good twice
	askedDead, alive int // uses of dead tokens; and those that worked
}

const callback = "http://127.0.0.1:9/callback" // where nobody listens: browsers stop in front of it

func newAPI(s *soak, machines []string) *api {
	return &api{soak: s, machines: machines, client: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 100}}}
}

// register has somebody register the application, in as many tries as it takes.
func (a *api) register(ctx context.Context) error {
	at := a.soak.baseURL + "/oauth/settings/applications/new"
	for range 10 {
		b := a.browser(0)
		page, err := a.open(ctx, b, http.MethodGet, at, nil)
		if err != nil {
			return err
		}
		form := hidden(page.body)
		form.Set("name", "Soak")
		form.Set("kind", "confidential")
		form.Set("redirects", callback)
		made, err := a.open(ctx, b, http.MethodPost, at, form)
		if err != nil {
			return err
		}
		a.id, a.secret = match(`id="client-id" type="text" value="([^"]+)"`, made.body), match(`value="(wlss_[0-9A-Za-z]+)" readonly`, made.body)
		if a.id != "" && a.secret != "" {
			return nil
		}
	}
	return errors.New("the application for the API cannot be registered")
}

// runAll registers the application and lets it act for a fifth of the people.
func (a *api) runAll(ctx context.Context) {
	for err := a.register(ctx); err != nil; err = a.register(ctx) {
		if ctx.Err() != nil {
			return
		}
		a.soak.stats.trouble(err.Error())
		pause(ctx, a.soak.think)
	}
	var all sync.WaitGroup
	all.Go(func() { a.askDeadAll(ctx) })
	for i := range (a.soak.users + 4) / 5 {
		all.Go(func() { a.run(ctx, i) })
	}
	all.Wait()
}

// run lets the application act for one person until the context ends.
func (a *api) run(ctx context.Context, i int) {
	random := mathrand.New(mathrand.NewPCG(a.soak.seed, uint64(1<<40+i)))
	for ctx.Err() == nil {
		if err := a.life(ctx, a.browser(i), random); err != nil && ctx.Err() == nil {
			a.failed(err)
		}
		pause(ctx, a.soak.think)
	}
}

// failed counts what did not work. That there is no answer, or 503, may be while
// something was killed; that a token which is good is refused must not be.
func (a *api) failed(err error) {
	what := "API: " + err.Error()
	if p, ok := errors.AsType[apiError](err); ok && p.status != 0 && p.status < http.StatusInternalServerError {
		a.soak.stats.fault(what)
		return
	}
	a.soak.stats.trouble(what)
}

// life is that of an authorisation, from its code to its revocation. Where an answer
// does not come nobody knows what happened, and the application begins anew.
func (a *api) life(ctx context.Context, b *http.Client, random *mathrand.Rand) error {
	form, err := a.authorise(ctx, b)
	if form == nil || err != nil {
		return err
	}
	tokens, err := a.exchange(ctx, form, random)
	for range 3 {
		if tokens == nil || err != nil {
			return err
		}
		if err := a.use(ctx, tokens.Access, random); err != nil {
			return err
		}
		pause(ctx, a.soak.think/4)
		tokens, err = a.exchange(ctx, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens.Refresh}}, random)
	}
	if tokens == nil || err != nil {
		return err
	}
	answer, err := a.post(ctx, a.soak.baseURL, "/oauth/revoke", url.Values{"token": {tokens.Refresh}})
	if err != nil || answer.status != http.StatusOK {
		return problem("revoke", answer, err)
	}
	a.count(&a.revoked)
	a.died(tokens)
	return nil
}

// authorise gets a code by way of the browser, and returns the form that redeems it; nil
// where the login did not succeed, as the login service has it now and then.
func (a *api) authorise(ctx context.Context, b *http.Client) (url.Values, error) {
	verifier := oauth2.GenerateVerifier()
	at := a.soak.baseURL + "/oauth/authorize?" + url.Values{
		"response_type": {"code"}, "client_id": {a.id}, "redirect_uri": {callback}, "scope": {apiScope}, "state": {rand.Text()},
		"code_challenge": {oauth2.S256ChallengeFromVerifier(verifier)}, "code_challenge_method": {"S256"},
	}.Encode()
	answer, err := a.open(ctx, b, http.MethodGet, at, nil)
	if err == nil && strings.Contains(answer.body, `name="decision" value="allow"`) {
		form := hidden(answer.body)
		form.Set("decision", "allow")
		answer, err = a.open(ctx, b, http.MethodPost, a.soak.baseURL+match(`<form method="post" action="([^"]+)"`, answer.body), form)
	}
	to, bad := url.Parse(answer.location)
	switch {
	case err != nil || bad != nil || answer.atSite && answer.status >= http.StatusInternalServerError:
		return nil, problem("authorise", answer, err)
	case to.Query().Get("code") == "":
		return nil, nil
	}
	return url.Values{
		"grant_type": {"authorization_code"}, "code": {to.Query().Get("code")}, "redirect_uri": {callback}, "code_verifier": {verifier},
	}, nil
}

// exchange redeems a code or a refresh token, now and then at two machines at once. Then
// one of them may give tokens, and the other takes them back: it returns nil.
func (a *api) exchange(ctx context.Context, form url.Values, random *mathrand.Rand) (*pair, error) {
	if random.IntN(5) == 0 {
		return nil, a.exchangeTwice(ctx, form)
	}
	answer, err := a.post(ctx, a.soak.baseURL, "/oauth/token", form)
	if err != nil || answer.status != http.StatusOK {
		return nil, problem(form.Get("grant_type"), answer, err)
	}
	a.count(&a.issued)
	return readPair(answer), nil
}

func (a *api) exchangeTwice(ctx context.Context, form url.Values) error {
	var answers [2]reply
	var errs [2]error
	var both sync.WaitGroup
	for i := range answers {
		both.Go(func() { answers[i], errs[i] = a.post(ctx, "http://"+a.machines[i], "/oauth/token", form) })
	}
	both.Wait()
	one, two := readPair(answers[0]), readPair(answers[1])
	a.count(&a.usedTwice)
	for i := range answers {
		if errs[i] != nil || answers[i].status >= http.StatusInternalServerError {
			return problem("the same twice", answers[i], errs[i])
		}
	}
	switch {
	case one != nil && two != nil:
		a.count(&a.both)
	case one != nil || two != nil:
		a.died(cmp.Or(one, two)) // the second use has ended what the first gave
	}
	return nil
}

// use calls the API with a token, which must work.
func (a *api) use(ctx context.Context, token string, random *mathrand.Rand) error {
	answer, err := a.call(ctx, token, random)
	ok := err == nil && answer.status == http.StatusOK
	a.soak.stats.apiServed(ok)
	if !ok {
		return problem("use", answer, err)
	}
	return nil
}

func (a *api) count(n *int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	*n++
}

// died notes tokens that must not work from now on.
func (a *api) died(p *pair) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.dead = append(a.dead, p.Access, p.Refresh)
	if len(a.dead) > 1000 {
		a.dead = a.dead[2:]
	}
}

// askDeadAll tries dead tokens until the context ends.
func (a *api) askDeadAll(ctx context.Context) {
	random := mathrand.New(mathrand.NewPCG(a.soak.seed, 1<<40-1))
	for ctx.Err() == nil {
		a.askDead(ctx, random)
		pause(ctx, 10*time.Millisecond)
	}
}

// askDead tries two tokens that are dead, one of the latest.
func (a *api) askDead(ctx context.Context, random *mathrand.Rand) {
	a.mu.Lock()
	n := len(a.dead)
	if n == 0 {
		a.mu.Unlock()
		return
	}
	some := []string{a.dead[n-1-random.IntN(min(n, 16))], a.dead[random.IntN(n)]}
	a.mu.Unlock()
	for _, token := range some {
		var answer reply
		var err error
		if strings.HasPrefix(token, "wlsr_") {
			answer, err = a.post(ctx, "http://"+a.machines[random.IntN(len(a.machines))], "/oauth/token",
				url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
		} else {
			answer, err = a.call(ctx, token, random)
		}
		a.count(&a.askedDead)
		if err == nil && answer.status == http.StatusOK {
			a.count(&a.alive)
		}
	}
}

// report prints what came of it, and reports whether all is well.
func (a *api) report(row func(format string, args ...any)) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	row("tokens issued\t%d\trevoked: %d", a.issued, a.revoked)
	row("codes and refresh tokens sent twice at once\t%d\tgood twice: %d, must be 0", a.usedTwice, a.both)
	row("uses of tokens that had ended\t%d\tworked: %d, must be 0", a.askedDead, a.alive)
	return a.both == 0 && a.alive == 0 && a.issued > 0
}
