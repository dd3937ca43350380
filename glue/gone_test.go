package glue_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gorilla/sessions"
	"github.com/stretchr/testify/assert"

	"github.com/ucam-webauth/go-webauth/glue"
)

// hangs is a store that waits for its machine until the client has gone, or fails at once.
type hangs struct{ endless }

func (hangs) New(r *http.Request, _ string) (*sessions.Session, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return nil, errors.New("the store is down")
}

// A client that goes away while a store is asked is no fault of the store: no page, and no
// alarm for the operators.
func TestStoreErrorOfAClientThatHasGone(t *testing.T) {
	eachKind(t, testStoreErrorOfAClientThatHasGone)
}

func testStoreErrorOfAClientThatHasGone(t *testing.T, kind kind) {
	for _, gone := range []bool{false, true} {
		t.Run(map[bool]string{false: "waiting", true: "gone"}[gone], func(t *testing.T) {
			s := startSite(t, setup{kind: kind, config: inStore(hangs{})})
			b := s.browser("test0001")
			b.begin("/private/")
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if gone {
				cancel()
			}
			r := httptest.NewRequestWithContext(ctx, http.MethodGet, s.url+"/private/", nil)
			r.Header.Set("Accept", "text/html")
			r.AddCookie(b.cookie("login"))
			r.AddCookie(&http.Cookie{Name: b.sessionName(), Value: "x"})
			rec := httptest.NewRecorder()
			s.auth.Require(echo).ServeHTTP(rec, r)
			assert.Equal(t, http.StatusServiceUnavailable, rec.Code)
			assert.Equal(t, gone, rec.Body.Len() == 0)
			if gone {
				assert.NotContains(t, s.eventNames(), glue.EventStoreError)
			} else {
				assert.Contains(t, s.eventNames(), glue.EventStoreError)
			}
		})
	}
}
