package glue_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/webauth"
	"github.com/ucam-webauth/go-webauth/webauth/wls"
)

// wlsReply is an answer of the login service on its way back to a site.
type wlsReply struct {
	target string      // where it is to be brought, without the answer itself
	value  string      // of WLS-Response, decoded
	edits  [][2]string // of the request that carries it
}

func newReply(t testing.TB, returnURL string) wlsReply {
	t.Helper()
	path, query, _ := strings.Cut(returnURL, "?")
	value, found, err := webauth.ResponseFrom(query)
	require.NoError(t, err)
	require.True(t, found)
	if rest := webauth.StripResponse(query); rest != "" {
		path += "?" + rest
	}
	return wlsReply{target: path, value: value}
}

func (r *wlsReply) clone() wlsReply {
	return wlsReply{r.target, r.value, slices.Clone(r.edits)}
}

// on gives a request target that carries the answer.
func (r *wlsReply) on(target string) string {
	separator := "?"
	if strings.Contains(target, "?") {
		separator = "&"
	}
	target += separator + webauth.ResponseParam + "=" + url.QueryEscape(r.value)
	for _, edit := range r.edits {
		target = strings.ReplaceAll(target, edit[0], edit[1])
	}
	return target
}

// replyFields are the fields by their names in the protocol.
var replyFields = []string{"ver", "status", "msg", "issue", "id", "url", "principal", "ptags", "auth", "sso", "life", "params", "kid", "sig"}

// alters changes the answer of the login service:
//
//	field NAME=VALUE   and signs it anew, as the service would have signed such a thing
//	value NAME=VALUE   and leaves the signature alone
//	text OLD -> NEW    the same, anywhere in it
//	query OLD -> NEW   in the request that carries it
//	sign HOW           signs it otherwise; see attackforge_test.go
//
// An issue of "now-36s" is so long ago.
func (p *actor) alters(rest string) {
	t, r := p.world.t, &p.reply
	what, rest, _ := strings.Cut(rest, " ")
	name, value, _ := strings.Cut(rest, "=")
	before, after, _ := strings.Cut(rest, " -> ")
	switch what {
	case "field":
		fields := r.fields(t)
		setField(t, fields, name, p.world.fieldValue(name, value))
		r.value = p.world.signed(fields)
	case "value":
		fields := r.fields(t)
		setField(t, fields, name, p.world.fieldValue(name, value))
		r.value = joined(fields)
	case "text":
		require.Contains(t, r.value, before)
		r.value = strings.Replace(r.value, before, after, 1)
	case "query":
		r.edits = append(r.edits, [2]string{before, after})
		require.NotEqual(t, (&wlsReply{target: r.target, value: r.value}).on(r.target), r.on(r.target), "an edit without effect")
	case "sign":
		p.world.forge(r, rest)
	default:
		require.Fail(t, "alters what?", "%q", what)
	}
}

// invents writes a failure by hand, as anybody can: it is not signed. The first field
// makes it one of now, for the page that this person last asked for.
func (p *actor) invents(rest string) {
	name, value, _ := strings.Cut(rest, "=")
	if p.reply.value == "" || name == "status" {
		p.reply = wlsReply{target: p.world.server("soc").base + "/private/page?n=1"}
		f := wls.Response{Ver: 3, Status: wls.StatusCancelled, Issue: p.world.now(), ID: wls.NewID(), URL: p.reply.target}.Fields()
		p.reply.value = f.Unsigned()
	}
	fields := p.reply.fields(p.world.t)
	setField(p.world.t, fields, name, p.world.fieldValue(name, value))
	p.reply.value = joined(fields)
}

func (w *attackWorld) fieldValue(name, value string) string {
	since, ok := strings.CutPrefix(value, "now")
	if name != "issue" || !ok {
		return value
	}
	d, err := time.ParseDuration("0" + since)
	if since != "" {
		d, err = time.ParseDuration(since)
	}
	require.NoError(w.t, err)
	return w.now().Add(d).UTC().Format("20060102T150405Z")
}

var unescapeReply = strings.NewReplacer("%21", "!", "%25", "%")

// fields takes the value apart, all 14 of version 3.
func (r *wlsReply) fields(t testing.TB) []string {
	t.Helper()
	fields := strings.Split(r.value, "!")
	if len(fields) == len(replyFields)-1 { // versions 1 and 2 have no ptags
		fields = slices.Insert(fields, 7, "")
	}
	require.Len(t, fields, len(replyFields))
	for i := range fields {
		fields[i] = unescapeReply.Replace(fields[i])
	}
	return fields
}

func setField(t testing.TB, fields []string, name, value string) {
	t.Helper()
	i := slices.Index(replyFields, name)
	require.GreaterOrEqual(t, i, 0, "there is no field %q", name)
	fields[i] = value
}

// onTheWire gives the fields before kid and sig that the version has.
func onTheWire(fields []string) wls.Fields {
	if v := fields[0]; v == "1" || v == "2" {
		fields = slices.Delete(slices.Clone(fields), 7, 8)
	}
	return wls.Fields(fields[:len(fields)-2])
}

// signed signs with the key of the login service.
func (w *attackWorld) signed(fields []string) string {
	kid, key := w.fakes["soc"].Key()
	value, err := onTheWire(fields).Sign(key, kid)
	require.NoError(w.t, err)
	return value
}

// joined writes the fields down, with whatever kid and sig they have.
func joined(fields []string) string {
	kid, sig := fields[len(fields)-2], fields[len(fields)-1]
	return strings.TrimSuffix(onTheWire(fields).Unsigned(), "!!") + "!" + kid + "!" + sig
}
