package identityheader_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/ucam-webauth/go-webauth/glue/internal/identityheader"
)

func TestIs(t *testing.T) {
	for name, want := range map[string]bool{
		"Remote-User": true, "remote_user": true, "REMOTE.USER": true, "Http-Remote-User": true, "HTTP_HTTP_REMOTE_USER": true,
		"X-Remote-Groups": true, "X-AAPrincipal": true, "X_AA_Anything": true, "X-Auth-Request-Email": true,
		"X-Authenticated-User": true, "X-Authenticated-Groups": true, "X-WebAuth-User": true,
		"X-User": true, "X_User": true, "X-Auth-User": true, "Auth-User": true, "Proxy-User": true, "Http-X-User": true,
		"X-Forwarded-User": true, "X-Forwarded-Preferred-Username": true, "X-Forwarded-Access-Token": true,
		"Remote-" + strings.Repeat("x", 2*identityheader.MaxName): true,

		"": false, "Http-": false, "Remote": false, "X-Auth-Token": false, "X-Username": false, "X-User-Agent": false,
		"User-Agent": false, "Authorization": false, "X-Forwarded-For": false, "Xremote-User": false,
	} {
		assert.Equal(t, want, identityheader.Is([]byte(identityheader.FoldString(name))), "%q", name)
	}
}

// FuzzFold: the form in which names are compared says the same whatever case or
// separators they are written in, and folding it again changes nothing.
func FuzzFold(f *testing.F) {
	for _, name := range []string{"Remote-User", "remote_user", "HTTP_REMOTE_USER", "Http-Http-X", "http-", "HTTP", "", "X.Y", "é", strings.Repeat("Http-", 30) + "Remote-User"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		folded := identityheader.FoldString(name)
		assert.LessOrEqual(t, len(folded), identityheader.MaxName)
		assert.Empty(t, strings.Trim(folded, "abcdefghijklmnopqrstuvwxyz0123456789-"))
		if folded != "" && len(folded) < identityheader.MaxName {
			assert.Equal(t, folded, identityheader.FoldString(folded))
			assert.Equal(t, folded, identityheader.FoldString("HTTP_"+strings.ToUpper(folded)))
			assert.Equal(t, folded, identityheader.FoldString(strings.ReplaceAll(folded, "-", "_")))
		}
	})
}
