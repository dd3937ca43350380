package model

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// do does on the stage what a step of the model does, and reports where something else
// comes of it.
func (st *stage) do(m *Model, s State, step Step, to State) error {
	i := step.Tab
	tab, modelTab := &st.tabs[i], &s.Tabs[i]
	switch step.Kind {
	case Visits:
		st.mayTakeAMinute(m)
		st.machine = st.machineOf(step)
		return st.opens(m, step, to, addresses[step.Route], direct)
	case Follows:
		st.machine = st.machineOf(step)
		return st.opens(m, step, to, tab.open, elsewhere)
	case Returns:
		return st.opens(m, step, to, st.broughtTo(step), elsewhere)
	case Presses:
		if err := st.refusesButton(st.answers[modelTab.Answer].button); err != nil {
			return err
		}
		st.mayTakeAMinute(m)
		return st.opens(m, step, to, st.answers[modelTab.Answer].button, ownPage)
	case SendsToButton:
		if err := st.refusesButton(st.answers[step.Answer].button); err != nil {
			return err
		}
		return st.opens(m, step, to, st.answers[step.Answer].button, untold)
	case MakesUpFailure:
		return st.opens(m, step, to, st.madeUp(step), elsewhere)
	case PressesLogout:
		return st.answered(m, step, to, st.ask(st.victim, http.MethodPost, origin+"/logout", "", ownPage))
	case SendsForm:
		return st.sendsForm(step, to)
	case Continues:
		return st.sendsKept(step, ownPage)
	case SendsKeptForm:
		if err := st.refusesForm(step); err != nil {
			return err
		}
		return st.sendsKept(step, untold)
	case KeepsForm:
		return st.keepsForm(step)
	case SessionEnds:
		st.victim.agent += "'"
	case Arrives:
		st.arrives(m, i)
	case GoesBackToWLS:
		tab.asked = st.tokens[step.Token]
	case SendsToWLS:
		tab.asked = st.asks(step)
	case SendsToSite: // on its way
	case SignsOn, Types, Cancels, MayNotAsk:
		st.answers[step.Answer] = st.sign(to.Answers[step.Answer-1], tab.asked)
	case LogsInHimself, SignsOther:
		st.answers[step.Answer] = st.sign(to.Answers[step.Answer-1], st.asks(step))
	case TossesSecret:
		st.tosses()
	case MemoryLost:
		st.restarts(&s)
	case LogsInToOther:
		return st.logsInToOther(step)
	case FetchesLogin:
		st.answers[step.Answer] = st.sign(to.Answers[step.Answer-1], st.asks(step))
		return st.fetches(step)
	case FetchesAgain:
		return st.fetches(step)
	case GetsToken:
		return st.getsToken(step)
	case Presents:
		return st.presents(step, st.broughtTo(step), "")
	case FailsHimself:
		return st.presents(step, st.madeUp(step), st.held)
	case PressesHimself:
		return st.presses(step)
	default:
		return fmt.Errorf("nobody knows how to do this: %v", step)
	}
	return nil
}

// mayTakeAMinute is what the victim does where the model says so.
func (st *stage) mayTakeAMinute(m *Model) {
	if m.can(TakesMinutes) {
		st.advance(time.Minute)
	}
}

// opens has a tab of the victim's ask for an address.
func (st *stage) opens(m *Model, step Step, to State, target string, from sender) error {
	return st.answered(m, step, to, st.ask(st.victim, http.MethodGet, target, "", st.passedOn(from)))
}

// answered holds an answer to a tab of the victim's against what becomes of the tab.
func (st *stage) answered(m *Model, step Step, to State, a *http.Response) error {
	t, tab := &to.Tabs[step.Tab], &st.tabs[step.Tab]
	page := read(a)
	if err := st.cameTo(step.Outcome, a, page); err != nil {
		return err
	}
	if got := st.saw(); step.Outcome == Served && got.path != path(step.Route) {
		return fmt.Errorf("served %+v, not %s", got, addresses[step.Route])
	}
	if step.Outcome == RefusedToken && st.reason() == "token" && (pageKind(page) == "cookies") != (st.victim.cookies[loginCookie] == "") {
		return fmt.Errorf("page %q for a browser with the login cookie %q", pageKind(page), st.victim.cookies[loginCookie])
	}
	*tab = stageTab{arrives: a.Cookies()}
	phase := t.Phase
	if phase == Replying {
		phase = t.Then
	}
	switch location := a.Header.Get("Location"); phase {
	case AtWLS:
		ask, iact, ok := st.parseAsk(location)
		if !ok || ask.url != addresses[t.Route] || iact != [...]string{AsNeeded: "", Yes: "yes", No: "no"}[t.IAct] {
			return fmt.Errorf("sent to %q, not to the login service for %s%s", location, addresses[t.Route], iactText[t.IAct])
		}
		tab.asked, st.tokens[t.Token] = ask, ask
	case Opening:
		if tab.open = location; location != addresses[t.Route] {
			return fmt.Errorf("sent to %q, not to %q", location, addresses[t.Route])
		}
	case Asking:
		st.answers[t.Answer].button = firstLink(page)
	}
	if err := sameCookies(m, t, tab.arrives); err != nil {
		return err
	}
	if t.Phase != Replying { // a cookie beside those that the model knows
		st.victim.store(tab.arrives)
		tab.arrives = nil
	}
	return nil
}

// sameCookies compares the cookies of an answer with those that the model sets.
func sameCookies(m *Model, t *Tab, set []*http.Cookie) error {
	for _, c := range []struct {
		name string
		want bool
	}{
		{"wls-login", t.SetSecret != NoSecret}, {"wls-session", t.SetSession && t.Session != Session{}},
		{"wls-tried", t.SetTried || t.Logout && !m.can(Nested)}, {"wls-loop", t.SetMarks && t.Marks != Marks{}},
	} {
		got := slices.ContainsFunc(set, func(got *http.Cookie) bool { return strings.Contains(got.Name, c.name) && got.MaxAge >= 0 })
		if got != c.want {
			return fmt.Errorf("the cookie %s is set: %v, in the model: %v", c.name, got, c.want)
		}
	}
	return nil
}

func (st *stage) arrives(m *Model, i int) {
	tab := &st.tabs[i]
	if !m.can(LosesCookies) {
		for _, c := range tab.arrives {
			if !m.can(LosesSession) || c.Name != sessionCookie {
				st.victim.store([]*http.Cookie{c})
			}
		}
	}
	tab.arrives = nil
}

func (st *stage) parseAsk(location string) (asked, string, bool) {
	if p := st.provider; p != nil && strings.HasPrefix(location, issuer) {
		return p.parseAsk(location)
	}
	rest, ok := strings.CutPrefix(location, st.service.AuthURL+"?")
	q, err := url.ParseQuery(rest)
	return asked{url: q.Get("url"), params: q.Get("params")}, q.Get("iact"), ok && err == nil && q.Get("params") != ""
}

// formOf is the form that a page keeps.
func formOf(page string) keptForm {
	_, query, _ := strings.Cut(match(actionPattern, page), "?")
	hidden := hiddenPattern.FindStringSubmatch(page)
	if hidden == nil {
		return keptForm{}
	}
	return keptForm{query, url.Values{hidden[1]: {html.UnescapeString(hidden[2])}}.Encode()}
}

func (st *stage) sendsForm(step Step, to State) error {
	body := "what=good"
	if step.Bad {
		body = badForm
	}
	a := st.ask(st.victim, http.MethodPost, addresses[step.Route], body, st.passedOn(ownPage))
	page := read(a)
	if step.Outcome == FormKept {
		st.form = formOf(page)
	}
	return st.tookForm(step, a, page)
}

// tookForm compares the answer to a form with the model's, and what a form that acts is made of.
func (st *stage) tookForm(step Step, a *http.Response, page string) error {
	want := served{path(step.Route), names[Victim], "good"}
	if got := st.saw(); step.Outcome == FormActs && got != want {
		return fmt.Errorf("the form acts as %+v, not as %+v", got, want)
	}
	return st.cameTo(step.Outcome, a, page)
}

// sendsKept presses the button of the page that keeps a form.
func (st *stage) sendsKept(step Step, from sender) error {
	a := st.ask(st.victim, http.MethodPost, addresses[step.Route]+"?"+st.form.query, st.form.body, st.passedOn(from))
	return st.tookForm(step, a, read(a))
}

// refusesForm wants a browser that says that another site sent the form to be refused.
func (st *stage) refusesForm(step Step) error {
	a := st.ask(st.victim, http.MethodPost, addresses[step.Route]+"?"+st.form.query, st.form.body, nearby)
	if len(st.ran) > 0 || a.StatusCode < 400 {
		return fmt.Errorf("a kept form that another site sent: status %d, %+v", a.StatusCode, st.ran)
	}
	return nil
}

// refusesButton wants the button of a page that asks whether to log in to be refused where
// another site presses it, or nobody, or where it is pressed at another page.
func (st *stage) refusesButton(target string) error {
	path, query, _ := strings.Cut(target, "?")
	elsewhereTo := addresses[Strict] + "?" + query
	if path == addresses[Strict] {
		elsewhereTo = addresses[Lax] + "?" + query
	}
	for _, a := range []*http.Response{
		st.ask(st.victim, http.MethodGet, target, "", elsewhere), st.ask(st.victim, http.MethodGet, target, "", nearby),
		st.ask(st.victim, http.MethodGet, elsewhereTo, "", ownPage),
	} {
		if err := st.cameTo(RefusedConfirm, a, read(a)); err != nil {
			return err
		}
	}
	for _, how := range backgrounds {
		if how.method != http.MethodGet {
			continue
		}
		a := st.ask(st.victim, how.method, target, "", how.from)
		if err := st.cameTo(NotNavigation, a, read(a)); err != nil {
			return err
		}
	}
	return nil
}

// keepsForm has the site keep a form in the attacker's browser, whose session has ended.
func (st *stage) keepsForm(step Step) error {
	a := st.ask(st.attacker, http.MethodGet, addresses[Lax], "", direct)
	ask, _, _ := st.parseAsk(a.Header.Get("Location"))
	good := st.sign(Answer{Who: Attacker, Typed: true}, ask)
	a = st.ask(st.attacker, http.MethodGet, good.at(Lax, ask.params), "", elsewhere)
	ended := st.attacker.with(cookieOf(a, sessionCookie))
	ended.agent += "'"
	a = st.ask(ended, http.MethodPost, addresses[step.Route], "what=good", ownPage)
	page := read(a)
	st.form = formOf(page)
	return st.cameTo(FormKept, a, page)
}

func cookieOf(a *http.Response, name string) string {
	for _, c := range a.Cookies() {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// logsInToOther gets the attacker a session of the victim's at the other service's site.
func (st *stage) logsInToOther(step Step) error {
	a := st.askAt(st.other, st.attacker, http.MethodGet, addresses[Lax], "", direct)
	u, err := url.Parse(a.Header.Get("Location"))
	if err != nil {
		return err
	}
	ask := asked{url: u.Query().Get("url"), params: u.Query().Get("params")}
	good := st.sign(Answer{Who: Victim, Typed: true, Other: true}, ask)
	a = st.askAt(st.other, st.attacker, http.MethodGet, good.at(Lax, ""), "", elsewhere)
	if st.held = cookieOf(a, sessionCookie); st.held == "" {
		return fmt.Errorf("the other service's site: status %d, %+v", a.StatusCode, st.told)
	}
	st.answers[step.Answer] = good
	return nil
}

// fetches has another site make the victim's browser bring a response. Cookies stay behind.
func (st *stage) fetches(step Step) error {
	how := backgrounds[st.requests%len(backgrounds)]
	step.Route = opened(step.Route)
	target := st.broughtTo(step)
	a := st.ask(&browser{agent: st.victim.agent}, how.method, target, "", how.from)
	return st.cameTo(step.Outcome, a, read(a))
}

// presses has the attacker press a button of a page that asks whether to log in.
func (st *stage) presses(step Step) error {
	a := st.ask(st.attacker.with(st.held), http.MethodGet, st.answers[step.Answer].button, "", ownPage)
	if step.Outcome == LoggedIn {
		st.held = cookieOf(a, sessionCookie)
	}
	return st.cameTo(step.Outcome, a, read(a))
}

// asks is a request to the login service that a step makes up.
func (st *stage) asks(step Step) asked {
	if step.At.openID() {
		return st.provider.asks(step, st.tokens[step.Token].params, st.tokens[step.bound()])
	}
	return asked{url: addresses[step.Route], params: st.tokens[step.Token].params}
}

// broughtTo is the address to which a step has a response brought.
func (st *stage) broughtTo(step Step) string {
	state := st.tokens[step.Token].params
	if step.At.openID() && step.Token == 0 {
		state = [...]string{"", "x", st.attacker.cookies[loginCookie]}[st.requests%3]
	}
	return st.answers[step.Answer].at(step.Route, state)
}

// madeUp is the address with a failure that anybody can write.
func (st *stage) madeUp(step Step) string {
	ask := asked{at: step.At, url: addresses[step.Route], params: st.tokens[step.Token].params}
	return st.sign(Answer{MadeUp: true}, ask).at(step.Route, ask.params)
}

// machineOf is which machine sends people where a step says, as it begins there; the others
// finish only what began.
func (st *stage) machineOf(step Step) int {
	if len(st.sites) < 2 || step.Outcome != AskedToLogIn {
		return st.machine
	}
	first := (st.requests + 1 + st.machine) % 2 // the next machine, see ask
	want := 0
	if step.At == WLS {
		want = 1
	}
	return st.machine + first ^ want
}

// tosses has a host next door set such cookies in the victim's browser as it can: their
// names lack what browsers reserve for the site itself, or only look like it.
func (st *stage) tosses() {
	for _, before := range [...]string{"", "__Secure-", "__host-"} {
		st.victim.cookies[before+"wls-login"] = st.attacker.cookies[loginCookie]
		st.victim.cookies[before+"wls-session"] = st.held
	}
}

// restarts loses the memory of what was used; what there is counts as used then.
func (st *stage) restarts(s *State) {
	for i := range s.Answers {
		if a := s.Answers[i]; a.Exists {
			st.oneUse.used[st.itemOf(st.answers[i+1])] = !a.At.openID()
		}
	}
	for i := range s.Tokens {
		if s.Tokens[i] != (Token{}) {
			st.loses(st.tokens[i+1])
		}
	}
	st.forget()
}

func (st *stage) getsToken(step Step) error {
	st.machine = st.machineOf(Step{At: step.At, Outcome: AskedToLogIn})
	a := st.ask(st.attacker, http.MethodGet, addresses[step.Route], "", direct)
	ask, _, ok := st.parseAsk(a.Header.Get("Location"))
	if !ok || ask.url != addresses[(&Token{At: step.At, Route: step.Route}).url()] {
		return fmt.Errorf("the attacker is not sent to the login service: status %d, %+v", a.StatusCode, st.told)
	}
	st.tokens[step.Token] = ask
	return nil
}

// presents has the attacker bring a response with his own secret.
func (st *stage) presents(step Step, target, session string) error {
	a := st.ask(st.attacker.with(session), http.MethodGet, target, "", elsewhere)
	page := read(a)
	if err := st.cameTo(step.Outcome, a, page); err != nil {
		return err
	}
	switch step.Outcome {
	case LoggedIn:
		st.held = cookieOf(a, sessionCookie)
	case AskedWho:
		st.answers[step.Answer].button = firstLink(page)
	case RefusedStatus:
		st.attacker.take(a)
	}
	return nil
}

// failedTokens is how many failures a browser remembers (glue/failed.go).
const failedTokens = 4

// remembers has the model forget the failures that a browser forgets for later ones.
func (st *stage) remembers(before, s *State) {
	for i := range s.Tokens {
		t := &s.Tokens[i]
		if !t.Failed || before.Tokens[i].Failed {
			continue
		}
		browser := st.victim.cookies[loginCookie] // with another, it begins anew
		if t.Secret == AttackersSecret {
			browser = st.attacker.cookies[loginCookie]
		}
		failed := append(st.failed[browser], st.tokens[i+1].params)
		if len(failed) > failedTokens {
			for j := range s.Tokens {
				s.Tokens[j].Failed = s.Tokens[j].Failed && st.tokens[j+1].params != failed[0]
			}
			failed = failed[1:]
		}
		st.failed[browser] = failed
	}
}
