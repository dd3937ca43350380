package oauth2server

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/store"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/keys/words"
)

const maxTokenName = 100 // characters

// tokensPage is what the list of a person's tokens shows.
type tokensPage struct {
	guardedForm
	Notice string
	Tokens []tokenView
	Pages  pages
	New    string // where to make one
	Most   int    // how many a person may have
	Full   bool   // they have as many
}

type tokenView struct {
	store.Token
	Groups []scopeGroup
	Revoke string // where to
}

func (p settings) listTokens(w http.ResponseWriter, r *http.Request, id glue.Identity) error {
	tokens, links, err := listPage(r, p.path("/tokens"), func(from store.Place) ([]store.Token, error) {
		return p.store.PersonalTokens(r.Context(), id.Principal, from)
	})
	if err != nil {
		return err
	}
	count, err := p.store.CountPersonal(r.Context(), id.Principal)
	if err != nil {
		return err
	}
	data := tokensPage{
		guardedForm: p.form(r), Pages: links, New: p.path("/tokens/new"), Most: p.cfg.MaxPersonal, Full: count >= p.cfg.MaxPersonal,
		Notice: notice(r, map[string]string{"revoked": "The token is revoked. Nothing can use it any more."}),
	}
	for _, t := range tokens {
		data.Tokens = append(data.Tokens, tokenView{t, p.scopes.offered().pick(t.Scopes).groups(), p.path("/tokens/" + t.ID + "/revoke" + links.here)})
	}
	return p.page(w, r, "/tokens", site.Page{Kind: "tokens", Title: "Personal tokens"}, data)
}

// tokenForm is the form for a new token.
type tokenForm struct {
	guardedForm
	Action, Cancel string
	Typed          store.Token
	Life           string // the one that is chosen
	Most           int    // characters of the name
	Groups         []scopeGroup
	Lives          []tokenLife
}

// Ticked reports whether a scope is to be among those of the token.
func (f tokenForm) Ticked(scope string) bool { return slices.Contains(f.Typed.Scopes, scope) }

func (p settings) newToken(w http.ResponseWriter, r *http.Request, _ glue.Identity) error {
	return p.showTokenForm(w, r, store.Token{}, "")
}

// makeToken answers with the token itself, the only time that it is shown: it is not
// stored and not part of any address.
func (p settings) makeToken(w http.ResponseWriter, r *http.Request, id glue.Identity) error {
	t, life, errs := p.readToken(r)
	if len(errs) > 0 {
		return p.showTokenForm(w, r, t, life, errs...)
	}
	t.Principal = id.Principal
	made, text, err := p.store.CreatePersonal(r.Context(), t)
	switch {
	case errors.Is(err, store.ErrLimit):
		return p.showTokenForm(w, r, t, life, fieldError{Text: fmt.Sprintf("You have %d tokens, as many as this site allows. Revoke one that you do not need any more.", p.cfg.MaxPersonal)})
	case err != nil:
		return err
	}
	p.event(r, event{Name: EventTokenCreated, Principal: id.Principal, TokenID: made.ID})
	return p.page(w, r, "/tokens", site.Page{Kind: "token-made", Title: "Your new token"}, struct {
		tokenView
		Text, List string
		Basic      bool // it can be sent as a password
	}{tokenView{Token: made, Groups: p.scopes.pick(made.Scopes).groups()}, text, p.path("/tokens"), p.cfg.BasicPassword})
}

// readToken reads the form for a new token. What was typed is given back in any case.
func (p settings) readToken(r *http.Request) (t store.Token, life string, errs fieldErrors) {
	var problem string
	if t.Name, problem = readLine(r.PostForm.Get("name"), maxTokenName); t.Name == "" && problem == "" {
		problem = "Give the token a name, so that you can tell later what it is for."
	}
	errs.add("name", problem)

	offered := p.scopes.offered()
	for _, name := range r.PostForm["scope"] {
		if _, ok := offered.find(name); ok && !slices.Contains(t.Scopes, name) {
			t.Scopes = append(t.Scopes, name)
		}
	}
	if len(t.Scopes) == 0 {
		errs.add("scopes", "Tick at least one thing that the token may do.")
	}

	lives := livesUpTo(p.cfg.PersonalMaxLife, p.site.Now())
	life = r.PostForm.Get("life")
	if i := slices.IndexFunc(lives, func(l tokenLife) bool { return l.Value == life }); i < 0 {
		errs.add("life", "Choose when the token expires.")
	} else if lives[i].lasts > 0 {
		t.Expires = p.site.Now().Add(lives[i].lasts)
	}
	return t, life, errs
}

func (p settings) showTokenForm(w http.ResponseWriter, r *http.Request, t store.Token, life string, errs ...fieldError) error {
	data := tokenForm{
		guardedForm: p.form(r, errs...), Action: p.path("/tokens/new"), Cancel: p.path("/tokens"),
		Typed: t, Life: life, Most: maxTokenName, Groups: p.scopes.offered().groups(), Lives: livesUpTo(p.cfg.PersonalMaxLife, p.site.Now()),
	}
	if !slices.ContainsFunc(data.Lives, func(l tokenLife) bool { return l.Value == life }) {
		data.Life = usualLife(data.Lives)
	}
	return p.page(w, r, "/tokens", site.Page{Kind: "token-new", Status: data.status(), Title: "New token"}, data)
}

// tokenLife is a choice of how long a token lasts.
type tokenLife struct {
	Value, Text string
	lasts       time.Duration // zero: it does not expire
}

const day = 24 * time.Hour

// livesUpTo returns the choices that [Config.PersonalMaxLife] leaves. If it is none of the
// usual ones, it is one itself.
func livesUpTo(most time.Duration, now time.Time) []tokenLife {
	var lives []tokenLife
	add := func(value string, lasts time.Duration) {
		text := words.Duration(lasts) + ", until " + dateText(now.Add(lasts))
		lives = append(lives, tokenLife{value, text, lasts})
	}
	for _, days := range []int{7, 30, 90, 365} {
		if d := time.Duration(days) * day; most == 0 || d <= most {
			add(strconv.Itoa(days), d)
		}
	}
	switch {
	case most == 0:
		return append(lives, tokenLife{Value: "none", Text: "until you revoke it"})
	case len(lives) == 0 || lives[len(lives)-1].lasts < most:
		add("longest", most)
	}
	return lives
}

// usualLife returns the choice in a new form: 30 days, or the longest below that.
func usualLife(lives []tokenLife) string {
	usual := lives[0].Value
	for _, l := range lives {
		if l.lasts > 0 && l.lasts <= 30*day {
			usual = l.Value
		}
	}
	return usual
}

// add notes what is wrong with a field, if anything is.
func (e *fieldErrors) add(field, text string) {
	if text != "" {
		*e = append(*e, fieldError{field, text})
	}
}
