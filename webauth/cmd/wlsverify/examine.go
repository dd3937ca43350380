package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/keys/cli"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// result is the output. Names stay as they are; more may come.
type result struct {
	OK        bool           `json:"ok"`
	Reason    webauth.Reason `json:"reason"`
	Error     string         `json:"error"`
	Warning   string         `json:"warning,omitempty"`
	Notes     []string       `json:"notes,omitempty"`
	Unchecked []string       `json:"unchecked"`
	Signed    bool           `json:"signed"`
	*fields
	*claims
}

// fields are set where the shape is right; anybody may have written them.
type fields struct {
	Ver    int       `json:"ver"`
	Status int       `json:"status"`
	Msg    string    `json:"msg"`
	Issue  time.Time `json:"issue"`
	ID     string    `json:"id"`
	URL    string    `json:"url"`
	Life   *int64    `json:"life"` // seconds
	Params string    `json:"params"`
	Kid    string    `json:"kid"`
}

// claims are set where a success is signed by the service.
type claims struct {
	Principal string   `json:"principal"`
	Ptags     []string `json:"ptags"`
	Auth      string   `json:"auth"`
	SSO       []string `json:"sso"`
}

// examine returns everything about the response in text. It is an error if the options
// make no verifier.
func examine(o options, text string) (*result, error) {
	now := time.Now()
	if !o.at.IsZero() {
		now = o.at
	}
	v, err := o.verifier(now)
	if err != nil {
		return nil, cli.Usage(err) // whose options it refuses
	}
	r := &result{Unchecked: []string{"token", "replay"}}
	if o.want.InsecureAnyURL {
		r.Unchecked = append(r.Unchecked, "url")
	}
	var f finder
	value, err := f.find(text)
	r.Notes = f.notes
	if err != nil {
		r.refuse(err)
		return r, nil
	}
	u, err := webauth.ParseResponse(value)
	if err != nil {
		r.refuse(err)
		return r, nil
	}
	r.fields = decode(u)
	switch _, err = v.Verify(context.Background(), value, o.want); err {
	case nil:
		r.OK, r.Signed = true, true
	default:
		r.refuse(err)
	}
	if r.Reason == webauth.ReasonSignature && strings.Contains(value, "&amp;") {
		r.Notes = append(r.Notes, "it holds &amp;, as HTML writes &: copy what the page shows, not its source")
	}
	if !r.Signed {
		return r, nil
	}
	if key, _ := o.service.Keys.Lookup(u.Kid()); key.Published() {
		r.Warning = "the private half of this key is public: anybody can sign with it"
	}
	r.claims, err = o.claims(u, value)
	return r, err
}

func (o options) verifier(now time.Time) (*webauth.Verifier, error) {
	return webauth.NewVerifier(webauth.VerifierConfig{
		Service: o.service, Versions: o.versions, MaxAge: o.maxAge, Skew: o.skew,
		Now:             func() time.Time { return now },
		InsecureNoToken: true, InsecureNoReplayCheck: true, // nobody is logged in by this
		InsecurePublishedKeys: o.bundledDemo,
	})
}

func (r *result) refuse(err error) {
	r.Reason, r.Error = webauth.ReasonMalformed, err.Error()
	if e, ok := errors.AsType[*webauth.Error](err); ok {
		r.Reason, r.Error, r.Signed = e.Reason, e.Detail, e.Signed
	}
}

func decode(u *webauth.Unverified) *fields {
	f := &fields{
		Ver: u.Version(), Status: u.Status(), Msg: u.Msg(), Issue: u.Issue(), ID: u.ID(), URL: u.URL(),
		Params: u.Params(), Kid: u.Kid(),
	}
	if life, known := u.Life(); known {
		seconds := int64(life / time.Second)
		f.Life = &seconds
	}
	return f
}

// claims returns what a signed success says about the person, even where another check
// refused it: a second verifier at the time of issue takes any version, url and type,
// so that only what has verified can ever be printed. A failure has no claims.
func (o options) claims(u *webauth.Unverified, value string) (*claims, error) {
	if u.Status() != 200 {
		return nil, nil
	}
	o.versions = []int{1, 2, 3}
	v, err := o.verifier(u.Issue())
	if err != nil {
		return nil, err
	}
	resp, err := v.Verify(context.Background(), value, webauth.Expect{InsecureAnyURL: true, AAuth: typesIn(value)})
	if err != nil {
		return nil, err
	}
	return &claims{
		Principal: resp.Principal(), Ptags: listOf(resp.Ptags()), Auth: resp.Auth(), SSO: listOf(resp.SSO()),
	}, nil
}

// typesIn returns all types in auth and sso of a well-formed value: the fields before
// life, params, kid and sig.
func typesIn(value string) []string {
	raw := strings.Split(value, "!")
	types := raw[len(raw)-6] + "," + raw[len(raw)-5]
	return strings.Split(strings.NewReplacer("%21", "!", "%25", "%").Replace(types), ",")
}

// listOf returns a list that is [] and not null in JSON.
func listOf(list []string) []string { return append([]string{}, list...) }
