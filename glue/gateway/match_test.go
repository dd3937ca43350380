package gateway

import (
	"net/url"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/gateway/internal/paths"
)

// asAnyProgramMight reads a path as the most obliging of programs would: decodes until
// nothing is left to decode, takes backslashes for slashes and lookalikes for the real
// thing, cuts segments at semicolons, and resolves dots.
func asAnyProgramMight(p string) string {
	for {
		decoded := decodeLoosely(p)
		if decoded == p {
			break
		}
		p = decoded
	}
	p = strings.NewReplacer(`\`, "/", "\u2215", "/", "\uff0f", "/", "\uff0e", ".", "\u2024", ".").Replace(p)
	if i := strings.IndexAny(p, "\x00?#"); i >= 0 {
		p = p[:i]
	}
	segments := strings.Split(p, "/")
	for i := range segments {
		segments[i], _, _ = strings.Cut(segments[i], ";")
		segments[i] = strings.TrimRight(segments[i], " ")
		if segments[i] != "." && segments[i] != ".." {
			segments[i] = strings.TrimRight(segments[i], " .")
		}
	}
	return path.Clean("/" + strings.Join(segments, "/"))
}

func decodeLoosely(p string) string {
	var b strings.Builder
	for i := 0; i < len(p); i++ {
		if p[i] == '%' && i+2 < len(p) {
			if c, err := url.PathUnescape(p[i : i+3]); err == nil {
				b.WriteString(c)
				i += 2
				continue
			}
		}
		b.WriteByte(p[i])
	}
	return b.String()
}

// rulesOnly is a core that can look rules up, and nothing else.
func rulesOnly(prefixes ...string) *core {
	c := &core{ambiguous: &rule{label: "ambiguous"}, nothing: &rule{label: "nothing"}, rules: map[string][]*rule{}}
	for _, p := range prefixes {
		c.rules["h"] = append(c.rules["h"], &rule{prefix: strings.TrimSuffix(p, "/"), label: p})
	}
	return c
}

// FuzzRuleFor checks that no way of reading a path that goes to a backend leads to another
// rule.
func FuzzRuleFor(f *testing.F) {
	for _, seed := range []string{
		"/", "/api", "/public/../private/x", "//private", "/%2e%2e/private", "/public/%2e%2e/private",
		"/public%2f..%2fprivate", `/public\..\private`, "/public/..;/private", "/%252e%252e/private", "/%c0%ae/private",
		"/public/.%2e/./private//", "/a+b%2B", "/private+", "/private+/x", "/public/+../deep", "/%E2%88%95private", "/caf%C3%A9", "/public/%25%32e", "/privat%65", "*", "",
		"/private%3fx", "/private%23", "/private.", "/private%20/x", "/public/..%20/private", "/public/..%20../x", "/a.%20.%20/b", "/..%20/private",
	} {
		f.Add(seed)
	}
	c := rulesOnly("/private", "/public/deep", "/public", "/")
	f.Fuzz(func(t *testing.T, in string) {
		normal, err := paths.Normalise(in)
		if err != nil {
			return
		}
		ours := c.ruleFor("h", normal)
		if ours == c.ambiguous {
			return
		}
		for _, sent := range []string{normal, plusAsBlank(c.settlePlus("h", normal, ours))} {
			obliging := asAnyProgramMight(sent)
			require.Equal(t, c.match("h", paths.Escape(obliging)).label, ours.label, "%q is %q to others", normal, obliging)
		}
	})
}
