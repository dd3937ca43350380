package headers_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/ucam-webauth/go-webauth/glue/gateway/internal/headers"
)

func TestMapSetCookie(t *testing.T) {
	path := func(p string) string { return "/app" + p }
	foreign := func(domain string) bool { return strings.HasSuffix(domain, "internal") }
	for line, want := range map[string]string{
		"a=b":                                        "a=b",
		"a=b; Path=/x; Secure":                       "a=b; Path=/app/x; Secure",
		"a=b;path = /x ;HttpOnly":                    "a=b; Path=/app/x;HttpOnly",
		"a=b; Path=/x; PATH=/y":                      "a=b; Path=/app/x; Path=/app/y",
		"a=b; Path=; Path":                           "a=b; Path=; Path",
		`a=b; Path="/x"`:                             `a=b; Path="/x"`,
		"a=b; Domain=app.internal; Max-Age=1":        "a=b; Max-Age=1",
		"a=b; domain = .internal":                    "a=b",
		"a=b; Domain=soc.example":                    "a=b; Domain=soc.example",
		"a=Path=/x; X-Path=/x":                       "a=Path=/x; X-Path=/x",
		"__Host-a=b; Path=/; Secure":                 "__Host-a=b; Path=/; Secure",
		"__hOST-a=b; Path=/":                         "__hOST-a=b; Path=/",
		"__Secure-a=b; Path=/":                       "__Secure-a=b; Path=/app/",
		"a=b; Expires=Thu, 01 Jan 1970 00:00:00 GMT": "a=b; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
		"": "",
	} {
		assert.Equal(t, want, headers.MapSetCookie(line, path, foreign), "%q", line)
	}
}
