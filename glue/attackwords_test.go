package glue_test

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

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
		w.scripted = true
	case "trusts":
		name, kid, _ := strings.Cut(rest, " as ")
		w.trusted.more[kid] = knownKey(w.t, name, kid)
	default:
		require.Fail(w.t, "the login service cannot", "%q", verb)
	}
}

var placeholder = regexp.MustCompile(`\{([^{}]+)\}`)

// expand fills in placeholders:
//
//	{reply}             the answer of the login service as it stands in a query
//	{field sig}         a field of it
//	{params}            the token of the request to the login service
//	{session}, {login}  a cookie, and {session name}, {login name}
//	{cookies}           a Cookie header
//	{ref}               the reference that a long address waits under
//	{form}              the hidden field of the last page with a button
//	{byte ff}, {9000 x} a byte, and something many times
//
// "attacker" or "victim" in front, as in {attacker session}, names the person.
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
	case "ref":
		u, err := url.Parse(p.asked)
		_, ref, ok := strings.Cut(u.Query().Get("url"), "wls-target=")
		return ref, err == nil && ok
	case "cookies":
		return p.jar.header("soc.example", "/", http.MethodGet, asNavigation), true
	case "form":
		for _, v := range p.button.hidden {
			return v[0], true
		}
		return "", false
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
