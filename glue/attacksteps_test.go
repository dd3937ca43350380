package glue_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
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
//	storms N [on SITE,SITE] bring it N times at once
//	hears                   receive what "returns late" held back
//	follows, clicks [+H]    go on to where a redirect of the site leads; press a page's button
//	logs-out                press "Log out"
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

var verbs map[string]func(p *actor, rest string)

func init() {
	verbs = map[string]func(p *actor, rest string){
		"asks":     (*actor).asks,
		"goes":     func(p *actor, rest string) { p.visits(http.MethodGet, asNavigation, rest) },
		"fetches":  func(p *actor, rest string) { p.visits(http.MethodGet, asScript, rest) },
		"posts":    func(p *actor, rest string) { p.visits(http.MethodPost, asForm, rest) },
		"sends":    (*actor).sends,
		"types":    func(p *actor, _ string) { p.answered(webauthtest.Types) },
		"signs-on": func(p *actor, _ string) { p.answered(webauthtest.SignedOn) },
		"cancels":  func(p *actor, _ string) { p.answered(webauthtest.Cancels) },
		"returns":  (*actor).returns,
		"storms":   (*actor).storms,
		"hears":    func(p *actor, _ string) { p.world.keep(p, p.late) },
		"follows":  (*actor).follows,
		"clicks":   (*actor).clicks,
		"logs-out": (*actor).logsOut,
		"is":       func(p *actor, id string) { p.id = id },
		"crafts":   (*actor).crafts,
		"alters":   (*actor).alters,
		"invents":  (*actor).invents,
		"forges":   (*actor).forges,
		"takes":    (*actor).takes,
		"moves":    (*actor).moves,
	}
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
	w.keepAt(p, site.base, host, a.Response.Cookies())
	p.sees(a)
}

// sees makes an answer the last one; a page with a button stays open beside what comes.
func (p *actor) sees(a answer) {
	p.page, p.world.last = a, a
	if action, hidden := a.form(); action != "" {
		p.button.action, p.button.hidden = action, hidden
	}
}

func (w *attackWorld) keepAt(p *actor, base, host string, set []*http.Cookie) {
	p.jar.take(base, host, set)
}

// keep stores the cookies of a late answer of soc.
func (w *attackWorld) keep(p *actor, set []*http.Cookie) {
	base := w.server("soc").base
	_, host, _ := strings.Cut(base, "://")
	p.jar.take(base, host, set)
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
	p.late = a.Response.Cookies()
	if !late {
		w.keepAt(p, site.base, host, p.late)
	}
	p.sees(a)
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
			w.keepAt(p, sites[0].base, host, a.Response.Cookies())
			continue
		}
		w.last = a
	}
	require.Equal(w.t, 1, logins, "exactly one wins")
	w.at = sites[0]
	w.at.mu.Lock()
	defer w.at.mu.Unlock()
	for i, e := range w.at.events {
		if e.Name == glue.EventRefused {
			w.since, w.at.events = i, append(w.at.events[:i:i], e)
			return
		}
	}
}

func (p *actor) follows(string) {
	target, ok := strings.CutPrefix(p.page.location(), p.world.server("soc").base)
	require.True(p.world.t, ok, "%q is not at the site", p.page.location())
	p.visits(http.MethodGet, asNavigation, target)
}

func (p *actor) clicks(rest string) {
	target, ok := strings.CutPrefix(p.button.action, p.world.server("soc").base)
	require.True(p.world.t, ok, "no page had a button")
	if rest != "" {
		rest = " " + rest
	}
	p.visits(http.MethodPost, asForm, target+rest+" ="+p.button.hidden.Encode())
}

func (p *actor) logsOut(string) {
	p.visits(http.MethodPost, asForm, "/logout")
	require.Equal(p.world.t, "logged-out", p.page.kind())
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
		p.button = from.button
	case "cookies":
		p.jar = append(cookies(nil), from.jar...)
	default:
		c, ok := from.jar.find(what)
		require.True(p.world.t, ok, "%s has no cookie %q", whose, what)
		p.jar.put(c, false)
	}
}

// atService changes what the login service does: "answers NAME=VALUE; ..." the next
// request, or "trusts KEY as KID" from now on.
func (w *attackWorld) atService(verb, rest string) {
	switch verb {
	case "answers":
		var o webauthtest.Outcome
		for part := range strings.SplitSeq(rest, "; ") {
			switch name, value, _ := strings.Cut(part, "="); name {
			case "status":
				o.Status, _ = strconv.Atoi(value)
			case "msg":
				o.Msg = value
			case "quirk":
				o.Quirks = append(o.Quirks, webauthtest.Quirk(value))
			case "fault":
				o.Fault = webauthtest.Fault(value)
			default:
				require.Fail(w.t, "no such outcome", "%q", part)
			}
		}
		w.fakes["soc"].Next(o)
	case "trusts":
		name, kid, _ := strings.Cut(rest, " as ")
		w.trusted.more[kid] = knownKey(w.t, name, kid)
	default:
		require.Fail(w.t, "the login service cannot", "%q", verb)
	}
}

var placeholder = regexp.MustCompile(`\{([^{}]+)\}`)

// expand fills in placeholders: {reply}, the answer as it stands in a query; {params}, the
// token of the request; {session}, {login} and so on, cookies, and {session name};
// {field sig}, a field of the answer; {cookies}, a Cookie header; {form}, the hidden field of a page; {soc}, where the site
// is; {byte ff}; {9000 x}. "attacker" or "victim" in front names the person.
func (p *actor) expand(text string) string {
	return placeholder.ReplaceAllStringFunc(text, func(match string) string {
		word, whose := match[1:len(match)-1], p
		if name, rest, ok := strings.Cut(word, " "); ok && p.world.people[name] != nil {
			whose, word = p.world.people[name], rest
		}
		value, ok := whose.value(word)
		require.True(p.world.t, ok, "no such placeholder: %s", match)
		return value
	})
}

func (p *actor) value(word string) (string, bool) {
	switch word {
	case "reply":
		return url.QueryEscape(p.reply.value), true
	case "params":
		u, err := url.Parse(p.asked)
		return u.Query().Get("params"), err == nil
	case "cookies":
		return p.jar.header("soc.example", "/", http.MethodGet, asNavigation), true
	case "form":
		for _, v := range p.button.hidden {
			return v[0], true
		}
		return "", false
	case "soc":
		return p.world.server("soc").base, true
	}
	if hex, ok := strings.CutPrefix(word, "byte "); ok {
		n, err := strconv.ParseUint(hex, 16, 8)
		return string([]byte{byte(n)}), err == nil
	}
	if count, what, ok := strings.Cut(word, " "); ok {
		if n, err := strconv.Atoi(count); err == nil {
			return strings.Repeat(what, n), true
		}
	}
	if name, ok := strings.CutPrefix(word, "field "); ok {
		i := slices.Index(replyFields, name)
		return p.reply.fields(p.world.t)[max(i, 0)], i >= 0
	}
	part, wantName := strings.CutSuffix(word, " name")
	c, ok := p.jar.find(part)
	if wantName {
		return c.name, ok
	}
	return c.value, ok
}
