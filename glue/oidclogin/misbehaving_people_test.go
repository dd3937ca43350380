package oidclogin_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/oidclogin"
	"github.com/ucam-webauth/go-webauth/glue/oidclogin/oidctest"
	"github.com/ucam-webauth/go-webauth/webauth"
)

func freshKinds() []kind {
	now := webauth.Request{IAct: webauth.IActYes}
	silent := webauth.Request{IAct: webauth.IActNo}
	strong := webauth.Request{AAuth: []string{"mfa"}}
	none := func(p *webauth.Proof) { p.Auth, p.SSO = "oidc", []string{} }
	return []kind{
		{name: "fresh, as it should be", ask: now},
		{fault: oidctest.FaultIgnorePrompt, ask: now, doing: oidctest.SignedOn, want: webauth.ReasonInteract, until: atKeys},
		{fault: oidctest.FaultAuthTimeMissing, name: "asked", ask: now, want: webauth.ReasonInteract, until: atKeys},
		{fault: oidctest.FaultAuthTimeOld, name: "asked", ask: now, want: webauth.ReasonInteract, until: atKeys},
		{fault: oidctest.FaultAuthTimeText, want: webauth.ReasonMalformed, until: atKeys},
		{fault: oidctest.FaultAuthTimeFuture, want: webauth.ReasonFuture, until: atKeys},
		{fault: oidctest.FaultAuthTimeMissing, proof: sso},
		{fault: oidctest.FaultAuthTimeOld, proof: sso},
		{name: "signed on before", doing: oidctest.SignedOn},
		{name: "silent, signed on before", ask: silent, doing: oidctest.SignedOn},
		{name: "silent, and nobody is", ask: silent, want: webauth.ReasonStatus, status: 540, until: atAnswer},
		{fault: oidctest.FaultSilentInteracts, ask: silent, proof: sso},
		{name: "stronger than it was", ask: strong, want: webauth.ReasonAuthType, until: atKeys},
		{fault: oidctest.FaultAMRMissing, name: "asked", ask: strong, want: webauth.ReasonAuthType, until: atKeys},
		{fault: oidctest.FaultAMRMissing, proof: none},
		{fault: oidctest.FaultAMRText},
		{name: "strong", ask: strong, setup: func(_ *testing.T, f *oidctest.Provider, _ *oidclogin.Provider) {
			f.AddUser(oidctest.User{ID: "test0001", Groups: []string{"current"}, AMR: []string{"pwd", "mfa"}})
		}, proof: func(p *webauth.Proof) { p.Auth, p.SSO = "mfa", []string{"pwd"} }},
	}
}

func sso(p *webauth.Proof) { p.Auth, p.SSO, p.Password = "", []string{"pwd"}, time.Time{} }

// edited is a login whose ID token has another claim.
func edited(name, claim string, value any) kind {
	return kind{name: name, outcome: oidctest.Outcome{Edit: func(c map[string]any) {
		if value == nil {
			delete(c, claim)
			return
		}
		c[claim] = value
	}}, until: atKeys}
}

// upn is a login whose user name is another, and is refused.
func upn(name string, value any) kind {
	k := edited("user name "+name, "upn", value)
	k.want = webauth.ReasonIdentity
	return k
}

// principal is a login whose user name is another, and what becomes of it.
func principal(value, want string) kind {
	k := edited("user name "+value, "upn", value)
	k.proof = func(p *webauth.Proof) { p.Principal = want }
	return k
}

func identityKinds() []kind {
	tenant := func(name string, value any) kind {
		k := edited("tenant "+name, "tid", value)
		k.want = webauth.ReasonIdentity
		return k
	}
	object := func(name string, value any) kind {
		k := edited("object identifier "+name, "oid", value)
		k.want = webauth.ReasonIdentity
		return k
	}
	return []kind{
		upn("missing, with a sub and an email", nil),
		upn("empty", ""),
		upn("blank", " "),
		upn("with a blank", "spqr1 @cam.ac.uk"),
		upn("with a blank at its end", "spqr1@cam.ac.uk "),
		upn("with a line break", "spqr1\n@cam.ac.uk"),
		upn("non-ASCII", "spqr\u0131@cam.ac.uk"),
		upn("with a zero", "spqr1\x00@cam.ac.uk"),
		upn("in a list", []string{"spqr1@cam.ac.uk"}),
		upn("that is a number", 17),
		upn("that is an object", map[string]any{"upn": "spqr1@cam.ac.uk"}),
		upn("that is true", true),
		upn("too long", strings.Repeat("x", 250)+"@cam.ac.uk"),
		upn("of a domain alone", "@cam.ac.uk"),
		upn("without a domain", "spqr1"),
		upn("that ends in @", "spqr1@"),
		principal("spqr1@cam.ac.uk.evil.example", "spqr1@cam.ac.uk.evil.example"),
		principal("spqr1@evil-cam.ac.uk", "spqr1@evil-cam.ac.uk"),
		principal("spqr1@CAM.ac.uk", "spqr1@CAM.ac.uk"),
		principal("SPQR1@cam.ac.uk", "SPQR1"),
		principal("spqr1@evil.example@cam.ac.uk", "spqr1@evil.example@cam.ac.uk"),
		principal("spqr1@cam.ac.uk@cam.ac.uk", "spqr1@cam.ac.uk@cam.ac.uk"),
		principal("spqr1_gmail.com#EXT#@cam.onmicrosoft.com", "spqr1_gmail.com#EXT#@cam.onmicrosoft.com"),
		tenant("other", "00000000-0000-0000-0000-000000000000"),
		tenant("missing", nil),
		tenant("in a list", []string{oidctest.TenantID}),
		tenant("in capitals", strings.ToUpper(oidctest.TenantID)),
		object("missing", nil),
		object("blank", " "),
		object("that is a number", 17),
		edited("an email of somebody else", "email", "admin@cam.ac.uk"),
		edited("a preferred_username of somebody else", "preferred_username", "admin@cam.ac.uk"),
	}
}

func ptagKinds() []kind {
	groups := func(name string, value any, want ...string) kind {
		k := edited("groups "+name, "groups", value)
		k.proof = func(p *webauth.Proof) { p.Ptags = want }
		return k
	}
	unknown := func(k kind) kind {
		k.want, k.proof = webauth.ReasonPtags, nil
		return k
	}
	many := make([]string, 75)
	for i := range many {
		many[i] = fmt.Sprintf("3f1c9a52-7d0e-4b86-9a1f-%012d", i)
	}
	return []kind{
		groups("missing", nil),
		groups("none", []string{}),
		groups("that the site does not name", []string{"staff", "alumni"}),
		groups("with a comma", []string{"x,current"}),
		groups("with a line break", []string{"x\ncurrent", "current\n"}),
		groups("in capitals", []string{"CURRENT"}),
		groups("blank", []string{"", " "}),
		groups("75 of them", many),
		groups("75 and one", append(slices.Clone(many), "admins"), "admins"),
		groups("twice", []string{"current", "current"}, "current"),
		unknown(groups("as a text", "current")),
		unknown(groups("as a text with commas", "x,current")),
		unknown(groups("with a number", []any{"current", 17})),
		unknown(groups("as an object", map[string]any{"current": true})),
		unknown(kind{name: "groups too many (overage)", until: atKeys, setup: func(_ *testing.T, f *oidctest.Provider, _ *oidclogin.Provider) {
			all := []string{"current"}
			for i := range 200 {
				all = append(all, fmt.Sprint("group-", i))
			}
			f.AddUser(oidctest.User{ID: "test0001", Groups: all})
		}}),
		unknown(kind{name: "groups too many (hasgroups)", until: atKeys, outcome: oidctest.Outcome{Edit: func(c map[string]any) {
			delete(c, "groups")
			c["hasgroups"] = true
		}}}),
		{name: "groups behind a link that is broken", want: webauth.ReasonMalformed, until: atKeys, outcome: oidctest.Outcome{Edit: func(c map[string]any) {
			delete(c, "groups")
			c["_claim_names"] = "groups"
		}}},
	}
}
