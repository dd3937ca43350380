package webauthtest

import (
	"crypto/subtle"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/ucam-webauth/go-webauth/webauth/webauthtest/fakelogin"
)

// User is somebody who can log in to the fake.
type User struct {
	// ID becomes the principal: 1 to 255 bytes of printable ASCII without blanks.
	ID string
	// Password must not be empty, but may well be public.
	Password string
	// Ptags are sent with version 3 responses.
	Ptags []string
	// Disabled refuses the login, as if the password were wrong, and ends single
	// sign-on.
	Disabled bool
}

// DefaultUsers returns test0001 to test0010 with password "test", as the Raven demo service had
// them. All but test0010 have the ptag "current".
func DefaultUsers() []User {
	var users []User
	for i := 1; i <= 10; i++ {
		users = append(users, User{ID: fmt.Sprintf("test%04d", i), Password: "test", Ptags: []string{"current"}})
	}
	users[9].Ptags = nil
	return users
}

var (
	userID = regexp.MustCompile(`^[!-~]{1,255}$`)
	ptag   = regexp.MustCompile(`^[!-+\--~]+$`) // printable ASCII without blanks and commas
)

// Check reports what makes the user unusable, if anything.
func (u User) Check() error {
	switch {
	case !userID.MatchString(u.ID):
		return fmt.Errorf("webauthtest: user id %q: want 1 to 255 bytes of printable ASCII without blanks", u.ID)
	case u.Password == "":
		return fmt.Errorf("webauthtest: user %s needs a password", u.ID)
	}
	for _, p := range u.Ptags {
		if !ptag.MatchString(p) {
			return fmt.Errorf("webauthtest: ptag %q of user %s: want printable ASCII without blanks and commas", p, u.ID)
		}
	}
	return nil
}

// userTable is safe for concurrent use.
type userTable struct {
	mu    sync.RWMutex
	users map[string]User
}

// put adds a user that Check does not refuse, or replaces the one of that id.
func (t *userTable) put(u User) error {
	if err := u.Check(); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.users == nil {
		t.users = make(map[string]User)
	}
	u.Ptags = slices.Clone(u.Ptags)
	t.users[u.ID] = u
	return nil
}

// active returns the user of that id and whether they may log in.
func (t *userTable) active(id string) (User, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	u, ok := t.users[id]
	return u, ok && !u.Disabled
}

func (t *userTable) authenticate(id, password string) bool {
	u, ok := t.active(id)
	return ok && subtle.ConstantTimeCompare([]byte(u.Password), []byte(password)) == 1
}

// list returns at most max users by id, and how many more there are.
func (t *userTable) list(max int) (shown []User, more int) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	all := slices.SortedFunc(maps.Values(t.users), func(a, b User) int { return strings.Compare(a.ID, b.ID) })
	shown = all[:min(max, len(all))]
	return shown, len(all) - len(shown)
}

// AddUser adds a user or replaces the one of that id. It panics if [User.Check] refuses it.
func (w *WLS) AddUser(u User) { fakelogin.Must(w.users.put(u)) }

// RemoveUser removes a user and thereby ends single sign-on for that id.
func (w *WLS) RemoveUser(id string) {
	w.users.mu.Lock()
	defer w.users.mu.Unlock()
	delete(w.users.users, id)
}
