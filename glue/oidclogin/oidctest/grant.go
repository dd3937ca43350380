package oidctest

import (
	"crypto/rand"
	"sync"
	"time"
)

// codeLife is how long a code can be exchanged for tokens.
const codeLife = time.Minute

// grant is what a code stands for.
type grant struct {
	code        string
	app         string
	redirectURI string
	nonce       string
	challenge   string
	acr         string
	user        User
	login       session
	outcome     Outcome
	expires     time.Time
	used        bool
}

// maxGrants bounds what a long-running demo keeps; the oldest make room.
const maxGrants = 10_000

// grantTable is safe for concurrent use.
type grantTable struct {
	mu     sync.Mutex
	byCode map[string]*grant
	order  []string          // codes, oldest first
	tokens map[string]string // access tokens, and whose they are
	seen   map[string]bool   // what works once: the jti of assertions
}

func (t *grantTable) add(g grant) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byCode == nil {
		t.byCode, t.tokens = make(map[string]*grant), make(map[string]string)
	}
	if len(t.order) >= maxGrants {
		delete(t.byCode, t.order[0])
		t.order = t.order[1:]
		clear(t.tokens)
	}
	t.byCode[g.code] = &g
	t.order = append(t.order, g.code)
}

// use returns the grant of a code, and whether the code was used before.
func (t *grantTable) use(code string) (g grant, used, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	found, ok := t.byCode[code]
	if !ok {
		return grant{}, false, false
	}
	used = found.used
	found.used = true
	return *found, used, true
}

// before returns the newest code but that one which match.
func (t *grantTable) before(code string, match func(grant) bool) (string, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := len(t.order) - 1; i >= 0; i-- {
		if g := t.byCode[t.order[i]]; g.code != code && match(*g) {
			return g.code, true
		}
	}
	return "", false
}

// newToken makes an access token, which tells userinfo who it is about.
func (t *grantTable) newToken(user string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	token := rand.Text()
	t.tokens[token] = user
	return token
}

func (t *grantTable) userOf(token string) (string, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	user, ok := t.tokens[token]
	return user, ok
}

// first reports whether id has not been here before.
func (t *grantTable) first(id string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.seen == nil {
		t.seen = make(map[string]bool)
	}
	first := !t.seen[id]
	t.seen[id] = true
	return first
}

// grant remembers a login and returns its code.
func (p *Provider) grant(a authRequest, o Outcome) (code string) {
	user, _ := p.user(a.login.user)
	if user.AMR == nil {
		user.AMR = []string{"pwd"}
	}
	g := grant{
		code: rand.Text(), app: a.app.ID, redirectURI: a.redirectURI, user: user, login: *a.login, outcome: o,
		nonce: a.params.Get("nonce"), challenge: a.params.Get("code_challenge"), acr: acr(a.params.Get("acr_values"), user),
		expires: p.Now().Add(codeLife),
	}
	p.grants.add(g)
	p.sessions.logsInTo(a.login.sid, a.app.ID)
	return g.code
}
