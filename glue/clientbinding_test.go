package glue_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
)

// A session that is bound to where it began, and comes from elsewhere, asks for a new
// login; unbound ones move about freely.
func TestASessionBoundToWhereItBegan(t *testing.T) { eachKind(t, testASessionBoundToWhereItBegan) }

func testASessionBoundToWhereItBegan(t *testing.T, kind kind) {
	for _, tc := range []struct {
		name          string
		session       glue.Session
		client, agent string
		want          int
	}{
		{"to nothing", glue.Session{}, "192.0.2.7:1", "another", http.StatusOK},
		{"to the browser, another one", glue.Session{BindBrowser: true}, "192.0.2.1:1", "another", http.StatusUnauthorized},
		{"to the browser, another network", glue.Session{BindBrowser: true}, "198.51.100.1:1", "one", http.StatusOK},
		{"to the network, another address of it", glue.Session{BindAddress: true}, "192.0.2.77:1", "another", http.StatusOK},
		{"to the network, another one", glue.Session{BindAddress: true}, "198.51.100.1:1", "one", http.StatusUnauthorized},
		{"to the network, IPv6", glue.Session{BindAddress: true}, "[2001:db8::1]:1", "one", http.StatusUnauthorized},
		{"to both, another browser", glue.Session{BindBrowser: true, BindAddress: true}, "192.0.2.1:1", "another", http.StatusUnauthorized},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := startSite(t, setup{kind: kind,
				config: func(c *config) { c.Session = tc.session },
				wrap: func(h http.Handler) http.Handler {
					return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						r.RemoteAddr = r.Header.Get("X-Test-Address")
						h.ServeHTTP(w, r)
					})
				},
			})
			client := s.fake.Client("test0001")
			visit := func(from, agent, mode string) int {
				req, err := http.NewRequest(http.MethodGet, s.url+"/private/page", nil)
				require.NoError(t, err)
				req.Header.Set("X-Test-Address", from)
				req.Header.Set("User-Agent", agent)
				if mode != "" {
					req.Header.Set("Sec-Fetch-Mode", mode)
				}
				resp, err := client.Do(req)
				require.NoError(t, err)
				require.NoError(t, resp.Body.Close())
				return resp.StatusCode
			}
			require.Equal(t, http.StatusOK, visit("192.0.2.1:1", "one", ""))
			assert.Equal(t, http.StatusOK, visit("192.0.2.1:2", "one", "cors"), "at home")
			assert.Equal(t, tc.want, visit(tc.client, tc.agent, "cors"))
			assert.Equal(t, http.StatusOK, visit(tc.client, tc.agent, ""), "a person logs in again")
		})
	}
}
