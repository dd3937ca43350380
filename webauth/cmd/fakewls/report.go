package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/ucam-webauth/go-webauth/keys/cli"
	"github.com/ucam-webauth/go-webauth/webauth"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

// introduce prints what one needs to try a client.
func introduce(out io.Writer, s webauth.Service, o *options, key privateKey, published string) {
	fmt.Fprintf(out, "A fake web login service, for tests only. Interrupt to stop.\nfakewls %s\n\n", cli.Version())
	fmt.Fprintf(out, "  log in      %s\n", s.AuthURL)
	fmt.Fprintf(out, "  log out     %s\n", s.LogoutURL)
	fmt.Fprintf(out, "  key         kid %s, RSA-%d, %s\n", o.kid, key.private.N.BitLen(), key.origin)
	fmt.Fprintf(out, "  public key  %s\n", published)
	users := o.users
	if users == nil {
		users = webauthtest.DefaultUsers()
	}
	for i, u := range users {
		label := "users"
		if i > 0 {
			label = ""
		}
		fmt.Fprintf(out, "  %-10s  %s, password %q, ptags %q\n", label, u.ID, u.Password, strings.Join(u.Ptags, ","))
	}
	for _, f := range slices.Sorted(maps.Keys(o.faults)) {
		fmt.Fprintf(out, "  fault       %s, %g of all logins\n", f, o.faults[f])
	}
	for _, q := range o.quirks {
		fmt.Fprintf(out, "  quirk       %s\n", q)
	}
	fmt.Fprintln(out)
}

// report logs one exchange: what was asked, what came of it, and why. Responses are not
// logged: a log of this program may be shown to others while they are fresh.
func report(log *slog.Logger, e webauthtest.Exchange) {
	event := "asked"
	if e.Submitted {
		event = "form sent"
	}
	attrs := []any{"reply", string(e.Reply), "ver", e.Request.Ver, "url", e.Request.URL}
	add := func(name, value string) {
		if value != "" {
			attrs = append(attrs, name, value)
		}
	}
	add("desc", e.Request.Desc)
	add("aauth", strings.Join(e.Request.AAuth, ","))
	add("iact", e.Request.IAct)
	add("refused", e.Refused)
	add("complaint", e.Request.Complaint())
	if e.BadLogin {
		add("error", "wrong user or password")
	}
	if e.Response.Status != 0 {
		attrs = append(attrs, "status", e.Response.Status, "response_ver", e.Response.Ver)
	}
	add("principal", e.Response.Principal)
	add("fault", string(e.Fault))
	level := slog.LevelInfo
	if e.Request.Complaint() != "" {
		level = slog.LevelWarn
	}
	log.Log(context.Background(), level, event, attrs...)
}
