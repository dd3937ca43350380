package glue_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

// run takes the steps of a script: who, what, and with what. A person's steps:
//
//	asks TARGET [+H]...     open a page, which must send them to the login service
//	goes TARGET [+H]...     open a page
//	fetches, posts          the same by a script, by a form (with " =BODY" at the end)
//	sends RAW               send the bytes of a request
//	types, signs-on, cancels   what they do at the login service, which answers
//	returns [by METHOD] [at TARGET] [late] [+H]...   bring its answer to the site
//	gets-in [at TARGET]     the same, which must log them in
//	storms N [on SITE,SITE] bring it N times at once
//	hears                   receive what "returns late" held back
//	clicks [+H]...           press the button of the last page that had one
//	confirms [+H]...         press the button of the last page that asked who it is
//	logs-out [of nothing]   press "Log out"; the site then knows nobody here
//	is ID                   be somebody else at the login service
//	crafts NAME=VALUE       change the request to the login service
//	alters ...              change its answer; see attackreply_test.go
//	invents NAME=VALUE      write an answer oneself, unsigned
//	forges ...              change a cookie
//	takes WHAT of PERSON    have a copy of a request, reply, page, login, session, cookies
//	moves HOST to HOST      have the cookies of one host sent to another
//
// H is "Name: value" in place of the browser's line, "Name:" without it, "++Name: value"
// one more. Beside the people there are the clock ("clock +31s"), the login service
// ("wls answers ...", "wls trusts ...") and a host next door ("sibling tosses PERSON
// NAME=VALUE; ATTRIBUTES"). For {placeholders} see expand.
func (w *attackWorld) run(steps []string) {
	for _, step := range steps {
		who, rest, _ := strings.Cut(step, " ")
		verb, rest, _ := strings.Cut(rest, " ")
		switch who {
		case "clock":
			w.advance(verb)
		case "wls":
			w.atService(verb, rest)
		case "sibling":
			whose, cookie, _ := strings.Cut(rest, " ")
			w.actor(whose).tossed(w.people["attacker"].expand(cookie))
		default:
			do := verbs[verb]
			require.NotNil(w.t, do, "step %q: nobody knows how to %q", step, verb)
			p := w.actor(who)
			do(p, p.expand(rest))
		}
	}
}

var verbs = map[string]func(p *actor, rest string){
	"asks":     (*actor).asks,
	"goes":     func(p *actor, rest string) { p.visits(http.MethodGet, asNavigation, rest) },
	"fetches":  func(p *actor, rest string) { p.visits(http.MethodGet, asScript, rest) },
	"posts":    func(p *actor, rest string) { p.visits(http.MethodPost, asForm, rest) },
	"sends":    (*actor).sends,
	"types":    func(p *actor, _ string) { p.answered(webauthtest.Types) },
	"signs-on": func(p *actor, _ string) { p.answered(webauthtest.SignedOn) },
	"cancels":  func(p *actor, _ string) { p.answered(webauthtest.Cancels) },
	"returns":  (*actor).returns,
	"gets-in":  (*actor).getsIn,
	"storms":   (*actor).storms,
	"hears":    func(p *actor, _ string) { p.late() },
	"clicks":   (*actor).clicks,
	"confirms": (*actor).confirms,
	"logs-out": (*actor).logsOut,
	"is":       func(p *actor, id string) { p.id = id },
	"crafts":   (*actor).crafts,
	"alters":   (*actor).alters,
	"invents":  (*actor).invents,
	"forges":   (*actor).forges,
	"takes":    (*actor).takes,
	"moves":    (*actor).moves,
}

func (w *attackWorld) actor(name string) *actor {
	p := w.people[name]
	require.NotNil(w.t, p, "there is no person %q", name)
	return p
}

func (w *attackWorld) advance(by string) {
	d, err := time.ParseDuration(by)
	require.NoError(w.t, err)
	w.fakes["soc"].Advance(d)
	w.fakes["foreign"].Advance(d)
}

// visits sends a request and keeps what comes.
func (p *actor) visits(method string, h header, rest string) {
	w := p.world
	rest, body, _ := strings.Cut(rest, " =")
	parts := strings.Split(rest, " +")
	site, host, target := w.place(parts[0])
	w.begin(site)
	a := p.send(site, host, method, target, h.with(parts[1:]), body)
	p.jar.take(site.base, host, a.Response.Cookies())
	p.sees(a)
}

// sees makes an answer the last one; a page with a button stays open beside what comes.
func (p *actor) sees(a answer) {
	p.page, p.world.last = a, a
	if action, hidden := a.form(); action != "" {
		p.button.action, p.button.hidden = action, hidden
	}
	if a.kind() == "confirm-login" {
		p.confirm = a.links()[0]
	}
}

func (p *actor) asks(rest string) {
	p.visits(http.MethodGet, asNavigation, rest)
	p.asked = p.page.location()
	require.Contains(p.world.t, p.asked, "params=", "status %d, page %q: not sent to the login service", p.page.StatusCode, p.page.kind())
}

// sends writes a request as it stands, with CR LF for each line break.
func (p *actor) sends(raw string) {
	site := p.world.server("soc")
	if rest, ok := strings.CutPrefix(raw, "@"); ok {
		var name string
		name, raw, _ = strings.Cut(rest, " ")
		site = p.world.server(name)
	}
	p.world.begin(site)
	a := p.world.exchange(site, strings.ReplaceAll(raw, "\n", "\r\n"))
	p.sees(a)
}

func (p *actor) answered(doing webauthtest.Person) {
	for _, name := range []string{"soc", "foreign"} {
		fake := p.world.fakes[name]
		if !strings.HasPrefix(p.asked, fake.Service().AuthURL) {
			continue
		}
		back, err := fake.Respond(p.asked, p.id, doing)
		require.NoError(p.world.t, err)
		p.reply = newReply(p.world.t, back)
		if status := p.reply.fields(p.world.t)[1]; doing != webauthtest.Cancels && !p.world.scripted {
			require.Equal(p.world.t, "200", status, "the login service would not let %s in", p.id)
		}
		p.world.scripted = false
		return
	}
	require.Fail(p.world.t, "not sent to a login service", "%q", p.asked)
}

func (p *actor) returns(rest string) {
	parts := strings.Split(" "+rest, " +")
	method, words := http.MethodGet, strings.TrimSpace(parts[0])
	if after, ok := strings.CutPrefix(words, "by "); ok {
		method, words, _ = strings.Cut(after, " ")
	}
	words, late := strings.CutSuffix(strings.TrimSpace(words), "late")
	to := p.reply.target
	if after, ok := strings.CutPrefix(words, "at "); ok {
		to = strings.TrimSpace(after)
	}
	w := p.world
	site, host, target := w.place(to)
	w.begin(site)
	a := p.send(site, host, method, p.reply.on(target), asNavigation.with(parts[1:]), "")
	p.late = func() { p.jar.take(site.base, host, a.Response.Cookies()) }
	if !late {
		p.late()
	}
	p.sees(a)
}

func (p *actor) getsIn(rest string) {
	p.returns(rest)
	require.Equal(p.world.t, http.StatusSeeOther, p.page.StatusCode, "page %q", p.page.kind())
	require.Equal(p.world.t, glue.EventLogin, p.world.lastEvent().Name)
}

// storms brings the answer back many times at once, to several machines in turn. One
// request must log in, and one only; the answer to one of the others is the last.
func (p *actor) storms(rest string) {
	w := p.world
	count, on, _ := strings.Cut(rest, " on ")
	n, err := strconv.Atoi(count)
	require.NoError(w.t, err)
	var sites []*attackedSite
	for name := range strings.SplitSeq(on, ",") {
		sites = append(sites, w.server(name))
	}
	_, host, target := w.place(p.reply.target)
	raw := fmt.Sprintf("GET %s HTTP/1.1\r\nHost: %s\r\nAccept: text/html\r\nCookie: %s\r\nConnection: close\r\n\r\n",
		p.reply.on(target), host, p.jar.header(host, target, http.MethodGet, asNavigation))
	answers, errs := make([]answer, n), make([]error, n)
	var ready, done sync.WaitGroup
	ready.Add(1)
	for i := range n {
		done.Go(func() {
			ready.Wait()
			answers[i], errs[i] = sites[i%len(sites)].roundTrip(raw)
		})
	}
	ready.Done()
	done.Wait()
	logins := 0
	for i, a := range answers {
		require.NoError(w.t, errs[i])
		if a.StatusCode == http.StatusSeeOther {
			logins++
			p.jar.take(sites[0].base, host, a.Response.Cookies())
			continue
		}
		require.Equal(w.t, http.StatusForbidden, a.StatusCode)
		w.last = a
	}
	require.Equal(w.t, 1, logins, "exactly one wins")
	w.at, w.event = sites[0], nil
	w.at.mu.Lock()
	defer w.at.mu.Unlock()
	if i := slices.IndexFunc(w.at.events, func(e site.Event) bool { return e.Name == glue.EventRefused }); i >= 0 {
		w.event = &w.at.events[i]
	}
}

func (p *actor) clicks(rest string) {
	target, ok := strings.CutPrefix(p.button.action, p.world.server("soc").base)
	require.True(p.world.t, ok, "no page had a button")
	if rest != "" {
		rest = " " + rest
	}
	p.visits(http.MethodPost, asForm, target+rest+" ="+p.button.hidden.Encode())
}

// confirms presses the button that says that a login is one's own.
func (p *actor) confirms(rest string) {
	target, ok := strings.CutPrefix(p.confirm, p.world.server("soc").base)
	require.True(p.world.t, ok, "no page asked")
	if rest != "" {
		rest = " " + rest
	}
	p.visits(http.MethodGet, asNavigation.with([]string{"Sec-Fetch-Site: same-origin"}), target+rest)
}

func (p *actor) logsOut(rest string) {
	p.visits(http.MethodPost, asForm, "/logout")
	page := "logged-out"
	if rest == "of nothing" {
		page = "not-logged-in"
	}
	require.Equal(p.world.t, page, p.page.kind())
}

// crafts changes one parameter of the request to the login service; an empty value
// leaves it out.
func (p *actor) crafts(rest string) {
	name, value, _ := strings.Cut(rest, "=")
	u, err := url.Parse(p.asked)
	require.NoError(p.world.t, err)
	q := u.Query()
	q.Set(name, value)
	if value == "" {
		q.Del(name)
	}
	u.RawQuery = q.Encode()
	p.asked = u.String()
}

func (p *actor) takes(rest string) {
	what, whose, _ := strings.Cut(rest, " of ")
	from := p.world.actor(whose)
	switch what {
	case "request":
		p.asked = from.asked
	case "reply":
		p.reply = from.reply.clone()
	case "page":
		p.button, p.confirm = from.button, from.confirm
	case "cookies":
		p.jar = append(cookies(nil), from.jar...)
	default:
		c, ok := from.jar.find(what)
		require.True(p.world.t, ok, "%s has no cookie %q", whose, what)
		p.jar.put(c, false)
	}
}
