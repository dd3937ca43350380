package glue_test

import (
	"maps"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/sessions"
	"github.com/stretchr/testify/assert"
)

// keptStore keeps sessions in memory, and shows what was saved to end one.
type keptStore struct {
	mu    sync.Mutex
	held  map[string]map[any]any
	ended []map[any]any
}

func newKeptStore() *keptStore { return &keptStore{held: map[string]map[any]any{}} }

func (st *keptStore) Get(r *http.Request, name string) (*sessions.Session, error) {
	return st.New(r, name)
}

func (st *keptStore) New(r *http.Request, name string) (*sessions.Session, error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	s := sessions.NewSession(st, name)
	s.IsNew = true
	if c, err := r.Cookie(name); err == nil {
		if values, ok := st.held[c.Value]; ok {
			s.ID, s.Values, s.IsNew = c.Value, maps.Clone(values), false
		}
	}
	return s, nil
}

func (st *keptStore) Save(_ *http.Request, w http.ResponseWriter, s *sessions.Session) error {
	st.mu.Lock()
	defer st.mu.Unlock()
	if s.Options.MaxAge < 0 {
		st.ended = append(st.ended, maps.Clone(s.Values))
		delete(st.held, s.ID)
	} else {
		s.ID = "a session's name, " + time.Duration(len(st.held)+len(st.ended)).String()
		st.held[s.ID] = maps.Clone(s.Values)
	}
	http.SetCookie(w, sessions.NewCookie(s.Name(), s.ID, s.Options))
	return nil
}

// Some stores seal a session's values into the very cookie that deletes it, from where a
// browser that keeps cookies for longer could bring them back.
func TestStoreIsToldNothingOfAnEndedSession(t *testing.T) {
	eachKind(t, testStoreIsToldNothingOfAnEndedSession)
}

func testStoreIsToldNothingOfAnEndedSession(t *testing.T, kind kind) {
	for _, end := range []string{"by a new login", "by logging out"} {
		t.Run(end, func(t *testing.T) {
			store := newKeptStore()
			s := startSite(t, setup{kind: kind, config: inStore(store), routes: adminRoute})
			b := s.loggedIn("test0001")
			if end == "by logging out" {
				b.post("/logout", nil)
			} else {
				s.advance(6 * time.Minute)
				b.get("/admin").requireEcho("test0001")
			}
			assert.Equal(t, []map[any]any{{}}, store.ended)
		})
	}
}
