package remoteuser

import (
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/internal/headername"
	"github.com/ucam-webauth/go-webauth/glue/password"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

// FuzzClaim: whatever a front server's headers hold, who is known has a principal that
// can be one, exactly as it was sent or signed, and nothing that claims an identity is
// left for handlers.
func FuzzClaim(f *testing.F) {
	const key = "0123456789abcdef0123"
	for _, name := range []string{"Remote-User", "X-Aaprincipal", "Remote_user", "Http-Remote-User", "http_http_remote_user", "Remote.User", "X-Aaptags", "Cookie", "HTTP_", "-", ""} {
		for _, value := range []string{
			"spqr1", "", "(null)", "a b", "a,b", "7tO2pcjYhu7rRy+r8+qa32SKaIw= spqr1", "7tO2pcjYhu7rRy+r8+qa32SKaIw=", "08fRQlGI/3KFbqlYw5i2+4HN2rI=",
			"7tO2pcjYhu7rRy+r8+qa32SKaIw= ", " spqr1", "spqr1\r\nX: y", "\x00", strings.Repeat("x", 256),
		} {
			f.Add(name, value, "X-Aasso", "pwd")
			f.Add("Remote-User", "spqr1", name, value)
		}
	}
	f.Add("X-Aaissue", "20261122T030000Z", "X-Aalife", "-1")
	f.Add("X-Aaprincipal", "root", "Remote-User", "spqr1")

	soc, err := site.New(site.Config{BaseURL: "https://soc.example", Logger: slog.New(slog.DiscardHandler)})
	require.NoError(f, err)
	newOne := func(key string) *RemoteUser {
		u, err := New(Config{Site: soc, Peers: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, AAHeaders: true, HMACKey: key})
		require.NoError(f, err)
		return u
	}
	plain, signed := newOne(""), newOne(key)

	f.Fuzz(func(t *testing.T, name1, value1, name2, value2 string) {
		h := http.Header{}
		h[name1] = append(h[name1], value1)
		h[name2] = append(h[name2], value2)
		before := h.Clone()

		for _, u := range []*RemoteUser{plain, signed} {
			clean, c := u.separate(h)
			assert.Equal(t, before, h, "the request that came stays as it was")
			for name := range clean {
				var buf [headername.MaxName]byte
				assert.False(t, u.isIdentity(name, headername.Fold(&buf, name)), name)
			}
			id, known, err := u.identity(&c)
			if !known || err != nil {
				continue
			}
			require.Len(t, h["Remote-User"], 1)
			assert.True(t, password.ValidName(id.Principal))
			assert.Equal(t, ServiceHeader, id.Service)
			want := id.Principal
			if u == signed {
				want = signed.key.Signed(id.Principal)
			}
			assert.Equal(t, want, h["Remote-User"][0])
		}

		// What is signed is believed, if it is a principal.
		_, c := signed.separate(http.Header{"Remote-User": {signed.key.Signed(value1)}})
		id, known, _ := signed.identity(&c)
		assert.Equal(t, password.ValidName(value1) && value1 != apacheUnset, known)
		if known {
			assert.Equal(t, value1, id.Principal)
		}
	})
}
