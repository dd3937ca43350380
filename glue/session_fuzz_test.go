package glue

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/require"
)

// FuzzDecodeSession: what is taken for a session is in the one form that encode gives it,
// and holds nothing that could not be shown, logged or compared.
func FuzzDecodeSession(f *testing.F) {
	s := &session{binding: "bindingbindingbinding0"}
	s.Identity = Identity{
		SessionID: "idididididididididid00", Principal: "spqr1", Ptags: []string{"current", "staff"}, Auth: "pwd", SSO: []string{"x-card"},
		Issue: time.Unix(1772366399, 0).UTC(), Accepted: time.Unix(1772366400, 0).UTC(), Password: time.Unix(1772366400, 0).UTC(),
		ResponseID: "1373000000-00000-00",
	}
	f.Add(s.encode())
	s.Auth, s.Ptags, s.Password, s.ResponseID = "", nil, time.Time{}, ""
	f.Add(s.encode())
	f.Add("")
	f.Add(strings.Repeat("\n", sessionLines-1))
	f.Add(strings.TrimSuffix(s.encode(), "\n"))
	f.Add(s.encode() + "\n")
	f.Add(strings.Replace(s.encode(), "spqr1", "spqr1\r", 1))
	f.Add(strings.Replace(s.encode(), "spqr1", "spqr1\x00", 1))
	f.Add(strings.Replace(s.encode(), "1772366399", "+1772366399", 1))
	f.Add(strings.Replace(s.encode(), "1772366400", "01772366400", 1))
	f.Fuzz(func(t *testing.T, text string) {
		s, ok := decodeSession(text)
		if !ok {
			return
		}
		require.Equal(t, text, s.encode())
		require.NotEmpty(t, s.Principal)
		require.NotEmpty(t, s.SessionID)
		for _, field := range slices.Concat([]string{s.SessionID, s.binding, s.Principal, s.Auth, s.ResponseID}, s.Ptags, s.SSO) {
			require.False(t, strings.ContainsFunc(field, func(r rune) bool { return unicode.IsControl(r) || r > '~' }), "%q", field)
		}
	})
}

// FuzzSession: a session comes back as it was, or not at all.
func FuzzSession(f *testing.F) {
	f.Add("spqr1", "current,staff", "pwd", "", "1373000000-00000-00", int64(1772366399), int64(1772366400), int64(1772366400))
	f.Add("a!b%c", "", "", "pwd,x-card", "a!b", int64(1), int64(0), int64(-1))
	f.Add("spqr1", "current,staff,student", "", "pwd", "", int64(1), int64(0), int64(1))
	f.Add("two\nlines", "a\nb", "p\nq", "", "a\nb", int64(0), int64(0), int64(0))
	f.Add("", "", "", "", "", int64(0), int64(0), int64(0))
	f.Add("spqr1", ",", "pwd", ",,", "\x00", int64(-62135596800), int64(9e15), int64(0))
	f.Fuzz(func(t *testing.T, principal, ptags, auth, sso, id string, issue, password, accepted int64) {
		s := &session{binding: "bindingbindingbinding0"}
		s.Identity = Identity{SessionID: randomID(), Principal: principal, Auth: auth, ResponseID: id}
		s.Ptags, s.SSO = splitList(ptags, &s.lists[0]), splitList(sso, &s.lists[1])
		for list, got := range map[string][]string{ptags: s.Ptags, sso: s.SSO} {
			if list != "" {
				require.Equal(t, strings.Split(list, ","), got)
			}
		}
		s.Issue, s.Accepted, s.Password = atUnix(issue), atUnix(accepted), atUnix(password)
		got, ok := decodeSession(s.encode())
		if ok {
			require.Equal(t, s, got)
		}
	})
}

// atUnix is a time as sessions keep it.
func atUnix(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(n, 0).UTC()
}

// TestKeptID: what is no word, or too long for a cookie, is not kept, and nobody is locked out by it.
func TestKeptID(t *testing.T) {
	for id, kept := range map[string]bool{
		"": true, "123456": true, "1373000000-00000-00": true, strings.Repeat("x", 64): true,
		strings.Repeat("x", 65): false, "a b": false, "a\nb": false, "é": false, "a\x7f": false,
	} {
		want := ""
		if kept {
			want = id
		}
		require.Equal(t, want, keptID(id), "%q", id)
	}
}
