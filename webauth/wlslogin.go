package webauth

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

var _ LoginService = Service{}

// Info implements [LoginService].
func (s Service) Info() ServiceInfo {
	i := ServiceInfo{Name: s.Name, Title: s.title(), URL: s.AuthURL, Challenge: "Ucam-WebAuth", NoPtags: s.NoPtags, DefaultAAuth: defaultAAuth}
	if !s.NoPtags {
		i.DefaultPtag = "current"
	}
	return i
}

// title returns what people call a service.
func (s Service) title() string {
	switch s.AuthURL {
	case ravenURL:
		return "Raven"
	case ravenDemoURL:
		return "the Raven demonstration service"
	case nevarURL:
		return "Nevar"
	case gooseURL:
		return "Goose (SRCF account)"
	}
	return s.Name
}

// Findings implements [LoginService].
func (s Service) Findings(origins []string) (found []ServiceFinding) {
	if s.Keys == nil {
		return nil
	}
	warn := func(format string, args ...any) {
		found = append(found, ServiceFinding{Text: fmt.Sprintf(format, args...)})
	}
	if s.HasPublishedKey() {
		warn("%s signs with a key whose private half is public: for trying things out on loopback only", s.Name)
	}
	if IsLoopback(s.AuthURL) && slices.ContainsFunc(origins, func(o string) bool { return !IsLoopback(o) }) {
		warn("%s is on this machine (AuthURL %s), where other people's browsers find nothing; if it is one for tests, whoever has its key logs in as anybody", s.Name, s.AuthURL)
	}
	for _, k := range s.Keys.Keys() {
		if k.Bits() < 2048 && !k.Published() {
			text := fmt.Sprintf("key %s of %s has %d bits, as the service chose; Go in FIPS-only mode refuses it, and SHA-1 with it", k.Kid(), s.Name, k.Bits())
			found = append(found, ServiceFinding{Text: text, Note: true})
		}
	}
	for _, origin := range origins {
		if err := s.CheckOrigin(origin); err != nil {
			warn("%v", err)
		}
	}
	if err := s.CheckKeys(); err != nil {
		warn("%v", err)
	}
	return found
}

// CheckRequest implements [LoginService].
func (s Service) CheckRequest(r Request) error {
	r.URL = "https://soc.example/"
	_, err := s.LoginURL(r)
	return err
}

// CheckStrength implements [LoginService].
func (s Service) CheckStrength(iact Interact, aauth []string, auth string, sso []string) Reason {
	return CheckStrength(iact, aauth, auth, sso)
}

// At implements [LoginService].
func (s Service) At(p Place) (Login, error) {
	signer, err := NewRequestSigner(SignerConfig{Service: s, Origin: p.Origin, Keys: p.Keys("request-token"), Now: p.Now})
	if err != nil {
		return nil, err
	}
	verifier, err := NewVerifier(VerifierConfig{
		Service: s, Versions: p.Versions, MaxAge: p.MaxAge, Skew: p.Skew, Now: p.Now,
		Signer: signer, OneUse: p.OneUse, Origins: p.Origins,
	})
	if err != nil {
		return nil, err
	}
	return &wlsLogin{service: s, origin: p.Origin, signer: signer, verifier: verifier}, nil
}

// wlsLogin is the login by Ucam-WebAuth.
type wlsLogin struct {
	service  Service
	origin   string
	signer   *RequestSigner
	verifier *Verifier
}

func (l *wlsLogin) Begin(_ context.Context, secret BrowserSecret, r Request) (string, error) {
	r, err := l.signer.Sign(secret, r)
	if err != nil {
		return "", err
	}
	return l.service.LoginURL(r)
}

func (l *wlsLogin) Brings(_, query string) bool {
	_, found, _ := ResponseFrom(query)
	return found
}

func (l *wlsLogin) Strip(_, query string) string { return StripResponse(query) }

func (l *wlsLogin) Answer(ctx context.Context, a Arrival) (*Proof, error) {
	resp, err := l.verify(ctx, a)
	if err != nil {
		return nil, err
	}
	p := &Proof{
		Principal: resp.Principal(), Ptags: resp.Ptags(), Auth: resp.Auth(), SSO: resp.SSO(),
		Issue: resp.Issue(), ID: resp.ID(), URL: resp.URL(), Token: resp.Token(), Confirm: resp.Confirm(),
	}
	p.Life, p.HasLife = resp.Life()
	if resp.Version() < 3 && !l.service.NoPtags {
		p.Ptags = []string{currentPtag} // what these versions imply, for want of room to say so
	}
	return p, nil
}

func (l *wlsLogin) verify(ctx context.Context, a Arrival) (*Response, error) {
	value, _, err := ResponseFrom(a.Query)
	if err != nil {
		return nil, malformed("%v", err)
	}
	url := l.origin + a.Path
	if query := StripResponse(a.Query); query != "" {
		url += "?" + query
	}
	return l.verifier.Verify(ctx, value, Expect{URL: url, Secret: a.Secret, Failed: a.Failed})
}

// Spend verifies: all that is good about a response is spent by it.
func (l *wlsLogin) Spend(ctx context.Context, a Arrival) error {
	a.Failed = nil
	_, err := l.verify(ctx, a)
	if e, ok := errors.AsType[*Error](err); ok && e.Reason == ReasonStore {
		return err
	}
	return nil
}

func (l *wlsLogin) End(string) string { return l.service.LogoutURL }
