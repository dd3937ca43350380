package site

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// all gives the elements of a list header in their order on the wire.
func all(quoted bool, lines ...string) (elements []string) {
	list := fromRight{lines: lines, quoted: quoted}
	for {
		e, ok := list.next()
		if !ok {
			return elements
		}
		elements = append([]string{e}, elements...)
	}
}

func TestFromRight(t *testing.T) {
	long := strings.Repeat("x", maxElement)
	tests := []struct {
		name   string
		quoted bool
		lines  []string
		want   []string
	}{
		{"no line", false, nil, nil},
		{"one", false, []string{"a"}, []string{"a"}},
		{"two", false, []string{"a, b"}, []string{"a", "b"}},
		{"lines", false, []string{"a,b", "c"}, []string{"a", "b", "c"}},
		{"blanks", false, []string{" a\t, \tb "}, []string{"a", "b"}},
		{"empty ones count", false, []string{",a,", ""}, []string{"", "a", "", ""}},
		{"quotes without meaning", false, []string{`a","b`}, []string{`a"`, `"b`}},
		{"comma in quotes", true, []string{`a=",",b`}, []string{`a=","`, "b"}},
		{"quote in quotes", true, []string{`a,b="\",\\",c`}, []string{"a", `b="\",\\"`, "c"}},
		{"open quote on the left", true, []string{`a,b=",c`}, []string{"c"}},
		{"open quote on the left, lines", true, []string{"a", `b="`, "c"}, []string{"c"}},
		{"open quote on the right", true, []string{"a", `b,c="`}, nil},
		{"long", false, []string{"a," + long}, nil},
		{"nearly as long", false, []string{"a," + long[1:]}, []string{"a", long[1:]}},
		{"long on the left", false, []string{"a", long + "x,b"}, []string{"b"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.want, all(tt.quoted, tt.lines...))
		})
	}
}

// Once it cannot be told where an element begins, nothing to the left is given either.
func TestFromRightEnds(t *testing.T) {
	list := fromRight{lines: []string{"a", "b,c=\""}, quoted: true}
	for range 3 {
		_, ok := list.next()
		assert.False(t, ok)
	}
}

func TestParseElement(t *testing.T) {
	ip := netip.MustParseAddr
	tests := []struct {
		name, text string
		want       element
	}{
		// RFC 7239, sections 4, 6 and 7.
		{"section 4, obfuscated", `for="_gazonk"`, element{}},
		{"section 4, IPv6 with port", `For="[2001:db8:cafe::17]:4711"`, element{client: ip("2001:db8:cafe::17")}},
		{"section 4, several parameters", `for=192.0.2.60;proto=http;by=203.0.113.43`, element{client: ip("192.0.2.60"), proto: "http"}},
		{"section 4, a list's first", `for=192.0.2.43`, element{client: ip("192.0.2.43")}},
		{"section 4, a list's second", `for=198.51.100.17`, element{client: ip("198.51.100.17")}},
		{"section 6, IPv4 with port", `for="192.0.2.43:47011"`, element{client: ip("192.0.2.43")}},
		{"section 6, IPv6 with port", `for="[2001:db8:cafe::17]:47011"`, element{client: ip("2001:db8:cafe::17")}},
		{"section 6.3, hidden", `for=_hidden`, element{}},
		{"section 6.3, another", `for=_SEVKISEK`, element{}},
		{"section 7.1, IPv6", `for="[2001:db8:cafe::17]"`, element{client: ip("2001:db8:cafe::17")}},
		{"section 7.1, unknown", `for=unknown`, element{}},
		{"section 7.4, with host", `for=192.0.2.43;by=203.0.113.60;proto=http;host=example.com`, element{client: ip("192.0.2.43"), proto: "http", host: "example.com"}},

		{"nothing", ``, element{}},
		{"semicolons", `;;for=192.0.2.1;`, element{client: ip("192.0.2.1")}},
		{"blanks", `for=192.0.2.1 ; proto=https`, element{client: ip("192.0.2.1"), proto: "https"}},
		{"escapes", `for="\192.0\.2.1";host="a\"\\b"`, element{client: ip("192.0.2.1"), host: `a"\b`}},
		{"host with port", `host="soc.example:8443"`, element{host: "soc.example:8443"}},
		{"extension", `for=192.0.2.1;x-secret="a,b;c=d"`, element{client: ip("192.0.2.1")}},
		{"obfuscated port", `for="192.0.2.1:_p"`, element{client: ip("192.0.2.1")}},
		{"unknown with port", `for="unknown:80"`, element{}},
		{"UNKNOWN", `for=UNKNOWN`, element{}},
		{"IPv4 within IPv6", `for="[::ffff:192.0.2.1]"`, element{client: ip("192.0.2.1")}},
		{"by may be anything", `by="anything: at all"`, element{}},
		{"eight parameters", `a=1;b=1;c=1;d=1;e=1;f=1;g=1;for=192.0.2.1`, element{client: ip("192.0.2.1")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseElement(tt.text)
			require.NoError(t, err)
			assert.Equal(t, tt.want, got)
		})
	}
}

func TestParseElementRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"no equals sign":         `for`,
		"no value":               `for=`,
		"no name":                `=192.0.2.1`,
		"blank before equals":    `for =192.0.2.1`,
		"blank after equals":     `for= 192.0.2.1`,
		"empty quotes":           `for=""`,
		"open quote":             `for="192.0.2.1`,
		"open escape":            `for="192.0.2.1\`,
		"text after quotes":      `for="192.0.2.1"x`,
		"no semicolon":           `for=192.0.2.1 proto=https`,
		"no semicolon, quotes":   `for="192.0.2.1"proto=https`,
		"two values":             `for=192.0.2.1 192.0.2.2`,
		"comma":                  `for=192.0.2.1,for=192.0.2.2`,
		"colon without quotes":   `for=192.0.2.1:80`,
		"brackets, no quotes":    `for=[2001:db8::1]`,
		"IPv6, no brackets":      `for="2001:db8::1"`,
		"IPv4 in brackets":       `for="[192.0.2.1]"`,
		"one bracket":            `for="[2001:db8::1"`,
		"the other bracket":      `for="2001:db8::1]"`,
		"zone":                   `for="[fe80::1%eth0]"`,
		"a name":                 `for=soc.example`,
		"leading zero":           `for=192.0.2.01`,
		"empty port":             `for="192.0.2.1:"`,
		"port with sign":         `for="192.0.2.1:+80"`,
		"huge port":              `for="192.0.2.1:65536"`,
		"long port":              `for="192.0.2.1:000080"`,
		"text after brackets":    `for="[2001:db8::1]80"`,
		"short obfuscation":      `for=_`,
		"odd obfuscation":        `for="_a b"`,
		"twice":                  `for=192.0.2.1;for=192.0.2.1`,
		"twice in other case":    `proto=http;Proto=https`,
		"an extension twice":     `x=1;x=1`,
		"nine parameters":        `a=1;b=1;c=1;d=1;e=1;f=1;g=1;h=1;for=192.0.2.1`,
		"control character":      "host=\"a\nb\"",
		"escaped control":        "host=\"a\\\nb\"",
		"other script unquoted":  `host=été`,
		"slash without quotes":   `host=a/b`,
		"quoted name":            `"for"=192.0.2.1`,
		"blank inside a name":    `fo r=192.0.2.1`,
		"a malformed by is none": `by=`,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parseElement(text)
			assert.Error(t, err)
		})
	}
}

func TestParseForwardedFor(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "192.0.2.1:80": "192.0.2.1", "192.0.2.1:0": "192.0.2.1",
		"2001:db8::1": "2001:db8::1", "[2001:db8::1]": "2001:db8::1", "[2001:DB8:0::1]:65535": "2001:db8::1",
		"::ffff:192.0.2.1": "192.0.2.1", "[::ffff:192.0.2.1]:80": "192.0.2.1",
		// As IPv6 has it, for brackets are what tells a port.
		"2001:db8::1:443": "2001:db8::1:443",
	} {
		got, ok := parseForwardedFor(text)
		assert.True(t, ok, text)
		assert.Equal(t, want, got.String(), text)
	}
	for _, text := range []string{
		"", " ", "-", "unknown", "_hidden", "localhost", "soc.example:80", "unix:", "192.0.2", "192.0.2.1.",
		"192.0.2.01", "192.0.2.256", "192.0.2.1:", "192.0.2.1:x", "192.0.2.1:65536", "192.0.2.1:-1", "192.0.2.1:_p", "192.0.2.1/32",
		"[192.0.2.1]", "[192.0.2.1]:80", "[2001:db8::1", "2001:db8::1]", "[2001:db8::1]x", "[2001:db8::1]:", "[]", "[]:80",
		"fe80::1%eth0", "[fe80::1%eth0]", `"192.0.2.1"`, "for=192.0.2.1", "192.0.2.1 192.0.2.2", "192.0.2.1\n",
	} {
		_, ok := parseForwardedFor(text)
		assert.False(t, ok, "%q", text)
	}
}
