package model

// tidy forgets what can never matter again: tokens and responses that will be refused
// for ever or that nobody has. So any number of logins fits into finitely many states.
func (m *Model) tidy(s *State) {
	m.tidyAnswers(s)
	if m.on(Memory) {
		for i := range s.Answers {
			a := &s.Answers[i]
			a.Spent = a.Spent || a.Bound == Redeemed // which is as good
			if a.Spent && a.Button == NoSecret {     // kept for what it tells of a session
				a.Token, a.URL, a.Seen = 0, 0, false
			}
			if a.Spent && a.Bound != 0 {
				a.Bound = Redeemed
			}
		}
	}
	m.tidyTokens(s)
	if !m.can(CountsRedirects) {
		s.acted()
	}
}

// makeRoom is tidy without what would change why something is refused.
func (m *Model) makeRoom(s *State) {
	m.tidyAnswers(s)
	m.tidyTokens(s)
}

func (m *Model) tidyAnswers(s *State) {
	if m.on(Binding) && s.Jar.Session.Secret != s.Jar.Secret && !s.arriving(s.Jar.Session.Secret) {
		s.Jar.Session = Session{}
	}
	var kept [maxAnswers + 1]bool // by a session or a tab
	kept[s.Jar.Session.Answer], kept[s.Held.Answer] = true, true
	for i := range s.Tabs {
		t := &s.Tabs[i]
		kept[t.Answer], kept[t.Session.Answer] = true, true
	}
	for i := range s.Answers {
		a := &s.Answers[i]
		if !kept[i+1] && !m.pressable(s, a) && (!a.Seen || m.hopeless(s, a)) {
			*a = Answer{}
		}
	}
}

func (m *Model) tidyTokens(s *State) {
	var wanted [boundRefs]bool // by a response or a tab
	for i := range s.Tabs {
		wanted[s.Tabs[i].Token] = true
	}
	for i := range s.Answers {
		wanted[s.Answers[i].Token], wanted[s.Answers[i].Bound] = true, true
	}
	for i := range s.Tabs {
		wanted[s.Tabs[i].Bound] = true
	}
	for i := range s.Tokens {
		t := &s.Tokens[i]
		known := t.Seen || t.Failed || t.Secret == AttackersSecret
		if !wanted[i+1] && (!known || m.worthless(s, t)) {
			*t = Token{}
		}
	}
	if m.pointless(s, &s.Form) {
		s.Form = Form{}
	}
}

// hopeless reports whether no browser will ever get in with a response.
func (m *Model) hopeless(s *State, a *Answer) bool {
	switch {
	case !m.on(Memory):
		return false
	case a.At.openID() && !m.on(Nonce) && (a.Bound == NoChallenge || !m.on(PKCE)): // it fits any state
		return a.Who == Nobody || a.Bound == Redeemed || a.Spent && m.on(ResponseOnce)
	case a.Bound >= NoChallenge:
		return true
	}
	for _, q := range m.tries(s, a) {
		for _, q.cookies.Secret = range [...]Secret{AttackersSecret, s.Jar.Secret, s.Tabs[0].SetSecret, s.Tabs[1].SetSecret} {
			if m.judge(s, a, q) == LoggedIn {
				return false
			}
		}
	}
	return true
}

// tries are where and with which token a response may be brought to the site. A code that
// fits one state alone needs no other; any other may fit one that is still to be made.
func (m *Model) tries(s *State, a *Answer) (tries []request) {
	if a.At.openID() {
		return []request{{route: Callback, token: a.Bound}}
	}
	for _, route := range m.routes() {
		tries = append(tries, request{route: route, token: a.Token})
	}
	return tries
}

// pressable reports whether the attacker may gain by sending the victim to the button for
// a login: it is his own, or was pressed. If he reads all, he may try others.
func (m *Model) pressable(s *State, a *Answer) bool {
	own := a.Button == AttackersSecret && !m.on(ConfirmBound|Binding)
	other := m.can(ReadsAll) && !a.Pressed && a.Button != NoSecret && (a.Button == AttackersSecret || a.Button == s.Jar.Secret)
	return own || other || a.Pressed && !m.on(ConfirmOnce)
}

// worthless reports whether no response with a token will ever pass.
func (m *Model) worthless(s *State, t *Token) bool {
	lost := t.Secret != AttackersSecret && t.Secret != s.Jar.Secret && !s.arriving(t.Secret)
	used := t.Spent && (t.Astray || !m.can(Moves) || m.on(ServiceKeys)) && !(t.Failed && !t.Again) && t.Logins < 2
	return lost || used && m.on(Memory|FailureFirst|AgainOnce)
}

// pointless reports whether a kept form did no harm and will never be sent on.
func (m *Model) pointless(s *State, f *Form) bool {
	lost := f.Secret != AttackersSecret && f.Secret != s.Jar.Secret && !s.arriving(f.Secret)
	harm := f.ActedBad || f.AsOther || f.Away
	return !harm && (lost && m.on(FormBrowser) || f.Used && m.on(FormOnce))
}

// arriving reports whether a reply on its way brings the victim's browser this secret.
func (s *State) arriving(secret Secret) bool {
	return secret != NoSecret && (s.Tabs[0].SetSecret == secret || s.Tabs[1].SetSecret == secret)
}

// canonical renames what has no meaning of its own: which tab, token and response
// comes first, and which name a secret has. States that differ in names only need
// not be told apart.
func (s State) canonical() State {
	if s.Tabs[1].rank() < s.Tabs[0].rank() {
		s.Tabs[0], s.Tabs[1] = s.Tabs[1], s.Tabs[0]
	}
	s.renameSecrets()
	tokens := arrange(s.Tokens[:], Token.rank)
	renameToken := func(r *TokenRef) {
		if *r < NoChallenge {
			*r = TokenRef(tokens[*r])
		}
	}
	for i := range s.Tabs {
		renameToken(&s.Tabs[i].Token)
		renameToken(&s.Tabs[i].Bound)
	}
	for i := range s.Answers {
		renameToken(&s.Answers[i].Token)
		renameToken(&s.Answers[i].Bound)
	}
	answers := arrange(s.Answers[:], Answer.rank)
	rename := func(r *AnswerRef) { *r = AnswerRef(answers[*r]) }
	rename(&s.Jar.Session.Answer)
	rename(&s.Held.Answer)
	for i := range s.Tabs {
		rename(&s.Tabs[i].Answer)
		rename(&s.Tabs[i].Session.Answer)
	}
	return s
}

// renameSecrets numbers the victim's secrets in the order in which they are found.
func (s *State) renameSecrets() {
	name := [maxSecret + 1]Secret{AttackersSecret: AttackersSecret}
	last := AttackersSecret
	rename := func(secret *Secret) {
		if *secret != NoSecret && name[*secret] == NoSecret {
			last++
			name[*secret] = last
		}
		*secret = name[*secret]
	}
	rename(&s.Jar.Secret)
	rename(&s.Jar.Session.Secret)
	rename(&s.Held.Secret)
	rename(&s.Form.Secret)
	for i := range s.Tabs {
		rename(&s.Tabs[i].SetSecret)
		rename(&s.Tabs[i].Session.Secret)
	}
	for i := range s.Tokens {
		rename(&s.Tokens[i].Secret)
	}
	for i := range s.Answers {
		rename(&s.Answers[i].Button)
	}
}

// arrange sorts slots, the highest rank first, and tells where each number went.
func arrange[T any](slots []T, rank func(T) uint64) (to [max(maxTokens, maxAnswers) + 1]uint8) {
	var from [len(to)]uint8
	for i := range slots {
		from[i+1] = uint8(i + 1)
		for j := i; j > 0 && rank(slots[j-1]) < rank(slots[j]); j-- {
			slots[j-1], slots[j] = slots[j], slots[j-1]
			from[j], from[j+1] = from[j+1], from[j]
		}
	}
	for i, n := range from[:len(slots)+1] {
		to[n] = uint8(i)
	}
	return to
}

func (t Token) rank() uint64 {
	return uint64(t.At)<<21 | bit(t.Astray)<<20 | uint64(t.Secret)<<16 | uint64(t.Route)<<12 | uint64(t.Depth)<<8 | uint64(t.Logins)<<5 |
		bit(t.Silent)<<4 | bit(t.Spent)<<3 | bit(t.Failed)<<2 | bit(t.Again)<<1 | bit(t.Seen)
}

func (a Answer) rank() uint64 {
	return uint64(a.At)<<32 | uint64(a.Bound)<<29 | bit(a.Exists)<<28 | uint64(a.Who)<<26 | uint64(a.URL)<<22 | uint64(a.Token)<<18 | uint64(a.Sessions)<<14 | uint64(a.Button)<<10 |
		bit(a.Pressed)<<6 | bit(a.Typed)<<5 | bit(a.Old)<<4 | bit(a.Other)<<3 | bit(a.Spent)<<2 | bit(a.Seen)<<1 | bit(a.Bygone) | bit(a.Named)<<34
}

// rank does not tell all tabs apart, which costs only time.
func (t *Tab) rank() uint64 {
	return uint64(t.At)<<36 | uint64(t.Bound)<<32 | uint64(t.Phase)<<28 | uint64(t.Route)<<24 | uint64(t.Then)<<21 | uint64(t.Token)<<18 | uint64(t.Answer)<<15 |
		uint64(t.SetSecret)<<12 | bit(t.SetSession)<<11 | uint64(t.IAct)<<8 | uint64(t.Redirects)
}

func bit(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}
