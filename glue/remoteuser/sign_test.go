package remoteuser_test

import (
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/remoteuser"
)

// The signatures are what openssl makes of value and key:
//
//	printf %s%s spqr1 "$key" | openssl dgst -sha1 -hmac "$key" -binary | base64
const (
	hmacKey       = "0123456789abcdef0123"
	signedSpqr1   = "7tO2pcjYhu7rRy+r8+qa32SKaIw= spqr1"
	signedCurrent = "YS3oXX0m7LD+GV0gHeBS7bS36Ck= current"
	signedEmpty   = "08fRQlGI/3KFbqlYw5i2+4HN2rI="
)

func TestSignedHeader(t *testing.T) {
	edit := func(c *config) { c.Header, c.HMACKey, c.AAHeaders = "X-AAPrincipal", hmacKey, true }
	b := newBackend(t, setup{config: edit})
	sig, _, _ := strings.Cut(signedSpqr1, " ")
	for _, tc := range []struct {
		name   string
		lines  []string
		status int
		reason string
	}{
		{"signed", []string{"X-AAPrincipal: " + signedSpqr1}, 200, ""},
		{"signed, with ptags", []string{"X-AAPrincipal: " + signedSpqr1, "X-AAPtags: " + signedCurrent}, 200, ""},
		{"signed nothing beside it", []string{"X-AAPrincipal: " + signedSpqr1, "X-AAAuth: " + signedEmpty}, 200, ""},
		{"signed nobody", []string{"X-AAPrincipal: " + signedEmpty}, 401, "login_required"},
		{"empty", []string{"X-AAPrincipal:"}, 401, "login_required"},
		{"unsigned", []string{"X-AAPrincipal: spqr1"}, 400, "unsigned"},
		{"unsigned ptags", []string{"X-AAPrincipal: " + signedSpqr1, "X-AAPtags: current"}, 400, "unsigned"},
		{"a long unsigned value", []string{"X-AAPrincipal: " + strings.Repeat("x", 28)}, 400, "signature"},
		{"another person's signature", []string{"X-AAPrincipal: " + sig + " root"}, 400, "signature"},
		{"another case of letters", []string{"X-AAPrincipal: " + sig + " SPQR1"}, 400, "signature"},
		{"no blank", []string{"X-AAPrincipal: " + sig + "spqr1"}, 400, "unsigned"},
		{"two blanks", []string{"X-AAPrincipal: " + sig + "  spqr1"}, 400, "signature"},
		{"a tab", []string{"X-AAPrincipal: " + sig + "\tspqr1"}, 400, "unsigned"},
		{"no padding", []string{"X-AAPrincipal: " + strings.TrimSuffix(sig, "=") + " spqr1"}, 400, "unsigned"},
		{"other base64 of the same bytes", []string{"X-AAPrincipal: " + sameBytes(sig) + " spqr1"}, 400, "signature"},
		{"the URL's alphabet", []string{"X-AAPrincipal: " + strings.NewReplacer("+", "-", "/", "_").Replace("08fRQlGI/3KFbqlYw5i2+4HN2rI=")}, 400, "signature"},
		{"another key", []string{"X-AAPrincipal: 2jmj7l5rSw0yVb/vlWAYkK/YBwk= spqr1"}, 400, "signature"},
		{"another header's name", []string{"Remote-User: " + signedSpqr1}, 401, "login_required"},
		{"another spelling", []string{"X_AAPrincipal: " + signedSpqr1}, 401, "login_required"},
		{"too long", []string{"X-AAPrincipal: " + strings.Repeat("x", 5000)}, 400, "malformed"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := b.raw("/", append(tc.lines, "Accept: application/json")...)
			assert.Equal(t, tc.status, a.StatusCode)
			if tc.status == http.StatusOK {
				assert.Equal(t, "spqr1", a.seen.Identity.Principal)
				return
			}
			assert.Contains(t, a.body, `"reason":"`+tc.reason+`"`)
		})
	}
	assert.NotContains(t, b.logged(), hmacKey)
	assert.NotContains(t, b.logged(), sig)

	// The signature never takes the place of the peer.
	b = newBackend(t, setup{config: func(c *config) { edit(c); c.Peers = []netip.Prefix{nowhere} }})
	assert.Equal(t, http.StatusUnauthorized, b.raw("/", "X-AAPrincipal: "+signedSpqr1).StatusCode)
}

// The documentation says what a signature does not cover: so that nobody takes this for
// more than it is, here a value of one header is replayed in another, by a peer.
func TestSignatureCoversNoName(t *testing.T) {
	b := newBackend(t, setup{config: func(c *config) { c.Header, c.HMACKey = "X-AAPrincipal", hmacKey }})
	assert.Equal(t, "current", b.raw("/", "X-AAPrincipal: "+signedCurrent).seen.Identity.Principal)
}

// sameBytes gives another text that a lax decoder takes for the same signature: the last
// character before the padding has two bits that mean nothing.
func sameBytes(sig string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	last := len(sig) - 2
	i := strings.IndexByte(alphabet, sig[last])
	return sig[:last] + string(alphabet[i|1]) + "="
}

// TestKeyFile: the file is that of the front server, read as Apache's module reads it. The
// signature is what openssl makes with the newline as a part of the key, see package aaheader.
func TestKeyFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(file, []byte(hmacKey+"\n"), 0o600))
	b := newBackend(t, setup{config: func(c *config) { c.Header, c.HMACKeyFile, c.AAHeaders = "X-AAPrincipal", file, true }})
	assert.Equal(t, "spqr1", b.raw("/", "X-AAPrincipal: HcnaUXxuCQi6/IpCIAkcYP2RXTY= spqr1", "X-AASSO: +7b+hEberKzSa+3XaXaj1teo22Y=").seen.Identity.Principal)
	a := b.raw("/", "X-AAPrincipal: "+signedSpqr1, "Accept: application/json")
	assert.Equal(t, http.StatusBadRequest, a.StatusCode)
	assert.Contains(t, a.body, `"reason":"signature"`)
	assert.Contains(t, b.logged(), "Config.HMACKeyFile ends with a newline, which is a part of the key")
	assert.NotContains(t, b.logged(), hmacKey)

	people := remoteuser.Config{Site: newSite(), Peers: []netip.Prefix{loopback}, HMACKeyFile: file}
	for text, want := range map[string]string{"": "holds no key", "\n": "holds no key", "none": `holds "none", which switches signing off in Apache`} {
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		_, err := remoteuser.New(people)
		assert.ErrorContains(t, err, "Config.HMACKeyFile: "+file+" "+want)
	}
	require.NoError(t, os.Chmod(file, 0o666))
	_, err := remoteuser.New(people)
	assert.ErrorContains(t, err, "Config.HMACKeyFile: "+file+": everybody can write it (mode 0666): run: chmod 600 ")
	people.HMACKey = hmacKey
	_, err = remoteuser.New(people)
	assert.ErrorContains(t, err, "HMACKey and HMACKeyFile are both set")
}

// A short key is weak, but what Apache takes, and no reason to lock people out.
func TestShortKey(t *testing.T) {
	b := newBackend(t, setup{config: func(c *config) { c.HMACKey = "abc\n" }})
	assert.Equal(t, "spqr1", b.raw("/", "Remote-User: i8Z56bZJ03w9fAufbyqa1XMu4qM= spqr1").seen.Identity.Principal)
	assert.Contains(t, b.logged(), `"level":"WARN","msg":"remoteuser: Config.HMACKey has 4 bytes only`)
	assert.Contains(t, b.logged(), "Config.HMACKey ends with a newline, which is a part of the key")
}
