package model

import (
	"fmt"
	"html"
	"io"
	"net/http"
	"regexp"
	"slices"
)

// verdict is what the site says.
type verdict struct {
	status  int
	page    string // "" is any
	event   string // the last one; "" is none
	reasons []string
}

var verdicts = map[Outcome]verdict{
	Served:           {200, "", "", nil},
	AskedToLogIn:     {303, "", "redirect", nil},
	TriedSilently:    {303, "", "redirect", nil},
	Forbidden:        {403, "forbidden", "forbidden", nil},
	LoopStopped:      {403, "loop", "loop", nil},
	LoggedIn:         {303, "", "login", nil},
	KeptSession:      {303, "", "", nil},
	Repeated:         {303, "", "repeated", nil},
	AskedWho:         {200, "confirm-login", "confirm-login", nil},
	WentBack:         {303, "", "silent-declined", nil},
	LoggedOut:        {200, "logged-out", "", nil},
	FormActs:         {200, "", "", nil},
	FormKept:         {401, "form-kept", "form-kept", nil},
	FormLost:         {401, "login-again", "refused", nil},
	FormGone:         {403, "", "refused", []string{"kept-form"}},
	NotNavigation:    {401, "", "refused", []string{"not-navigation"}},
	RefusedSignature: {403, "refused", "refused", []string{"signature"}},
	RefusedVersion:   {403, "refused", "refused", []string{"version"}},
	RefusedURL:       {403, "refused", "refused", []string{"url"}},
	RefusedReplay:    {403, "", "refused", []string{"replay", "stale", "forgotten"}},
	RefusedToken:     {403, "", "refused", []string{"token"}},
	RefusedTokenUsed: {403, "", "refused", []string{"token", "forgotten"}},
	RefusedStatus:    {403, "", "refused", []string{"status"}},
	RefusedStrength:  {403, "strength", "refused", []string{"interact"}},
	RefusedConfirm:   {403, "", "refused", []string{"confirm"}},
	RefusedCode:      {403, "", "refused", nil},
	RefusedNonce:     {403, "", "refused", nil},
}

// cameTo compares an answer with the model's outcome.
func (st *stage) cameTo(out Outcome, a *http.Response, page string) error {
	var last told
	if len(st.told) > 0 {
		last = st.told[len(st.told)-1]
	}
	if out == LoggedOut || out == FormActs {
		last = told{}
	}
	want, kind := st.verdict(out), pageKind(page)
	switch {
	case out == LoggedOut && kind == "not-logged-in": // says the same to whoever was not
		kind = want.page
	case kind == "cancelled" && last.name == "refused" && want.status == 403 && want.page == "": // no error to the person
		want.status = 200
	}
	switch {
	case a.StatusCode != want.status, want.page != "" && kind != want.page, last.name != want.event,
		len(want.reasons) > 0 && !slices.Contains(want.reasons, last.reason):
		return fmt.Errorf("the site: status %d, page %q, event %+v, location %q; the model: %s", a.StatusCode, kind, last, a.Header.Get("Location"), outcomeText[out])
	case (len(st.ran) > 0) != (out == Served || out == FormActs):
		return fmt.Errorf("the application saw %+v; the model: %s", st.ran, outcomeText[out])
	}
	return nil
}

// openIDVerdicts are other with OpenID Connect: there a token is a state, which may be none.
var openIDVerdicts = map[Outcome][]string{
	RefusedToken:     {"token", "malformed"},
	RefusedTokenUsed: {"replay", "forgotten"},
	RefusedCode:      {"stale"},
	RefusedNonce:     {"token"},
}

func (st *stage) verdict(out Outcome) verdict {
	v := verdicts[out]
	if reasons := openIDVerdicts[out]; st.provider != nil && reasons != nil {
		v.reasons = append(reasons, v.reasons...)
	}
	if out == RefusedToken && st.reason() == "malformed" {
		v.status = http.StatusBadRequest
	}
	return v
}

// reason is that of the last event.
func (st *stage) reason() string {
	if len(st.told) == 0 {
		return ""
	}
	return st.told[len(st.told)-1].reason
}

func read(a *http.Response) string {
	body, err := io.ReadAll(a.Body)
	if err != nil {
		panic(err) // a recorder's body is in memory
	}
	return string(body)
}

var (
	kindPattern   = regexp.MustCompile(`<main[^>]* data-page="([a-z-]+)"`)
	linkPattern   = regexp.MustCompile(`<a [^>]*href="([^"]*)"`)
	hiddenPattern = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)">`)
	actionPattern = regexp.MustCompile(`<form method="post" action="([^"]*)">`)
)

func pageKind(page string) string  { return match(kindPattern, page) }
func firstLink(page string) string { return match(linkPattern, page) }

func match(re *regexp.Regexp, page string) string {
	found := re.FindStringSubmatch(page)
	if found == nil {
		return ""
	}
	return html.UnescapeString(found[len(found)-1])
}

var names = [...]string{Nobody: "", Victim: "vic1", Attacker: "mal1"}

// agrees compares who is logged in where, and what is used, with the model.
func (st *stage) agrees(m *Model, s *State) error {
	for _, route := range m.routes() {
		if route == Dotted {
			continue
		}
		if err := st.seesAs(m, s, st.victim, s.Jar, route); err != nil {
			return fmt.Errorf("the victim's browser: %w", err)
		}
		if err := st.seesAs(m, s, st.attacker.with(st.held), s.attackers(), route); err != nil {
			return fmt.Errorf("the attacker's browser: %w", err)
		}
	}
	if err := st.strangers(); err != nil {
		return err
	}
	for i, a := range s.Answers {
		if id := st.itemOf(st.answers[i+1]); a.Exists && id != "" && a.Spent != st.oneUse.used[id] {
			return fmt.Errorf("response %d is used: %v, in the model: %v", i+1, !a.Spent, a.Spent)
		}
	}
	for i, t := range s.Tokens {
		if t == (Token{}) {
			continue
		}
		if used := st.tokenUsed(st.tokens[i+1]); t.Spent != used {
			return fmt.Errorf("token %d is used: %v, in the model: %v", i+1, used, t.Spent)
		}
		if again := st.oneUse.used[st.againItem(st.tokens[i+1])]; t.Again != again {
			return fmt.Errorf("token %d is used again: %v, in the model: %v", i+1, again, t.Again)
		}
	}
	return nil
}

// seesAs has a script of the site's ask for a route, which changes nothing.
func (st *stage) seesAs(m *Model, s *State, b *browser, jar Jar, route Route) error {
	q := request{route: route, cookies: jar}
	want, status := served{}, http.StatusUnauthorized
	switch {
	case m.satisfies(s, q):
		want, status = served{path: path(route), principal: names[m.knownAs(s, jar)]}, http.StatusOK
	case m.accepts(s, jar) && !s.current(jar.Session):
		status = http.StatusForbidden
	}
	a := st.ask(b, http.MethodGet, addresses[route], "", script)
	got := st.saw()
	if a.StatusCode != status || got != want {
		return fmt.Errorf("%s answers a script with %d and %+v, in the model: %d and %+v", addresses[route], a.StatusCode, got, status, want)
	}
	decision, err := st.auths[route].Evaluate(b.request(http.MethodGet, addresses[route], "", script))
	if err != nil {
		return err
	}
	if decision.Allowed != (status == http.StatusOK) || decision.Denial.Forbidden() != (status == http.StatusForbidden) ||
		decision.Identity.Principal != names[m.knownAs(s, jar)] {
		return fmt.Errorf("Evaluate for %s: %q, %q, in the model: %d", addresses[route], decision.Denial, decision.Identity.Principal, status)
	}
	return nil
}

// strangers wants a session to be nothing beside the secret of another browser.
func (st *stage) strangers() error {
	stolen := st.attacker.with(st.victim.cookies[sessionCookie])
	own := st.victim.with(st.held)
	for _, b := range []*browser{stolen, own} {
		if d, err := st.auths[Lax].Evaluate(b.request(http.MethodGet, addresses[Lax], "", script)); err != nil || d.Allowed || d.Identity.Principal != "" {
			return fmt.Errorf("a session beside another browser's secret is %q's", d.Identity.Principal)
		}
	}
	return nil
}
