package glue_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// meanwhile calls something once, before or after a response and its token are marked.
type meanwhile struct {
	webauth.PairOneUse
	before, after func()
}

func (m *meanwhile) OncePair(ctx context.Context, response, token webauth.Item) (responseErr, tokenErr error) {
	m.call(&m.before)
	responseErr, tokenErr = m.PairOneUse.OncePair(ctx, response, token)
	m.call(&m.after)
	return responseErr, tokenErr
}

func (*meanwhile) call(f *func()) {
	if then := *f; then != nil {
		*f = nil
		then()
	}
}

// TestOneResponseAtTwoMachines: somebody clicks twice, or a proxy tries again, and the two
// requests get to two machines at once. One of them logs in.
func TestOneResponseAtTwoMachines(t *testing.T) {
	for _, tt := range []struct {
		name string
		hook func(m *meanwhile, other func())
	}{
		{"before the first marks it", func(m *meanwhile, other func()) { m.before = other }},
		{"after that", func(m *meanwhile, other func()) { m.after = other }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			once := &meanwhile{}
			var second *glue.Auth
			s := startSite(t, setup{config: func(c *config) {
				once.PairOneUse = webauth.NewMemoryOneUse(0, c.Now)
				c.OneUse = once
				var err error
				second, err = newAuth(*c)
				require.NoError(t, err)
			}})
			b := s.browser("test0001")
			back := s.respond(b.begin("/private/page"), "test0001")
			got := []string{}
			tt.hook(once, func() { got = append(got, cameOf(bring(b, second, back))) })
			got = append(got, cameOf(bring(b, s.auth, back)))
			assert.ElementsMatch(t, []string{"logged in", "refused"}, got)
		})
	}
	t.Run("at once", func(t *testing.T) {
		var auths []*glue.Auth
		s := startSite(t, setup{config: func(c *config) {
			c.OneUse = webauth.NewMemoryOneUse(0, c.Now)
			for range 2 {
				auth, err := newAuth(*c)
				require.NoError(t, err)
				auths = append(auths, auth)
			}
		}})
		for range 20 {
			b := s.browser("test0001")
			back := s.respond(b.begin("/private/page"), "test0001")
			got := make([]string, 8)
			var all sync.WaitGroup
			start := make(chan struct{})
			for i := range got {
				r := comingBack(b, back)
				all.Go(func() {
					<-start
					w := httptest.NewRecorder()
					auths[i%2].Require(echo).ServeHTTP(w, r)
					got[i] = cameOf(w)
				})
			}
			close(start)
			all.Wait()
			want := []string{"logged in", "refused", "refused", "refused", "refused", "refused", "refused", "refused"}
			require.ElementsMatch(t, want, got)
		}
	})
}

// comingBack is the request with which a browser brings a response.
func comingBack(b *browser, back string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, back, nil)
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	r.Header.Set("Sec-Fetch-Dest", "document")
	for _, c := range b.cookies() {
		r.AddCookie(c)
	}
	return r
}

func bring(b *browser, auth *glue.Auth, back string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	auth.Require(echo).ServeHTTP(w, comingBack(b, back))
	return w
}

// cameOf is what came of a response.
func cameOf(w *httptest.ResponseRecorder) string {
	switch {
	case w.Code == http.StatusSeeOther && len(w.Result().Cookies()) > 0:
		return "logged in"
	case w.Code == http.StatusForbidden && len(w.Result().Cookies()) == 0:
		return "refused"
	}
	return w.Result().Status
}
