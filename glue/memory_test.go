package glue_test

import (
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
	"github.com/ucam-webauth/go-webauth/webauth/wls"
)

// What belongs to a request is a part of few objects. A handler that alters, extends or
// keeps what it was given must reach nothing else by it.
func TestHandlersShareNoMemory(t *testing.T) {
	bn := newBench(t)
	bn.fake.Always(webauthtest.Outcome{Edit: func(r *wls.Response) {
		r.Ptags, r.Auth, r.SSO = []string{"current", "staff"}, "", []string{"pwd"}
	}})
	cookies := bn.logIn(t)
	spoil := func(list []string) {
		for i := range list {
			list[i] = "spoilt"
		}
		_ = append(list, "spoilt", "spoilt", "spoilt")
	}
	pristine := func(t *testing.T, h http.Header, id glue.Identity) {
		assert.Equal(t, []string{"private, no-cache"}, h["Cache-Control"])
		assert.Equal(t, []string{"Cookie"}, h["Vary"])
		assert.Equal(t, []string{"current", "staff"}, id.Ptags)
		assert.Equal(t, []string{"pwd"}, id.SSO)
	}
	lists := map[string]func(h http.Header, id glue.Identity) []string{
		"Cache-Control": func(h http.Header, _ glue.Identity) []string { return h["Cache-Control"] },
		"Vary":          func(h http.Header, _ glue.Identity) []string { return h["Vary"] },
		"Ptags":         func(_ http.Header, id glue.Identity) []string { return id.Ptags },
		"SSO":           func(_ http.Header, id glue.Identity) []string { return id.SSO },
	}
	serve := func(see func(h http.Header, id glue.Identity)) {
		h := bn.auth.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			id, ok := glue.IdentityFrom(r.Context())
			require.True(t, ok)
			see(w.Header(), id)
		}))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, bn.request("/private/", cookies...))
		require.Equal(t, http.StatusOK, w.Code)
	}
	for name, list := range lists {
		t.Run(name, func(t *testing.T) {
			serve(func(h http.Header, id glue.Identity) {
				pristine(t, h, id)
				one := append(list(h, id), "one")
				_ = append(list(h, id), "two")
				assert.Equal(t, "one", one[len(one)-1])
				_ = append(list(h, id), "spoilt", "spoilt", "spoilt")
				pristine(t, h, id)
				spoil(list(h, id))
				for other, get := range lists {
					if other != name {
						assert.NotContains(t, get(h, id), "spoilt", other)
					}
				}
				serve(func(h http.Header, id glue.Identity) { pristine(t, h, id) })
				assert.Equal(t, slices.Repeat([]string{"spoilt"}, len(list(h, id))), list(h, id))
			})
		})
	}
}

// A request of somebody who is logged in costs its session, the text of that, a context,
// and net/http's copy of the request.
func TestRequireAllocates(t *testing.T) {
	bn := newBench(t)
	r := bn.request("/private/", bn.logIn(t)...)
	w := &blank{header: make(http.Header, 8)}
	allocs := math.Inf(1)
	for range 5 { // what other tests have left may allocate at one time or another
		allocs = min(allocs, testing.AllocsPerRun(100, func() {
			clear(w.header)
			bn.handler.ServeHTTP(w, r)
		}))
	}
	assert.LessOrEqual(t, allocs, 4.0)
}
