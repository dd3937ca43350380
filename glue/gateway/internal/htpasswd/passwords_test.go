package htpasswd

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"github.com/ucam-webauth/go-webauth/glue/internal/program/textfile"
)

// hashOf makes a cheap hash.
func hashOf(t testing.TB, password string, cost int) string {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), cost)
	require.NoError(t, err)
	return string(hash)
}

// openwall is a test vector of the crypt_blowfish library, for the password "U*U".
const openwall = "CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"

func TestPasswords(t *testing.T) {
	long := strings.Repeat("x", maxPassword)
	p, err := Load(writeFile(t, "htpasswd", strings.Join([]string{
		"# staff", "",
		"anna:$2y$05$" + openwall + "\r", "bert:$2a$05$" + openwall, "cleo:$2b$05$" + openwall,
		"dora:" + hashOf(t, long, 4), "emil:" + hashOf(t, "", 4), "fred:" + hashOf(t, "pass word:é", 6),
		"",
	}, "\n")))
	require.NoError(t, err)
	assert.Equal(t, 6, p.cost, "the highest cost")
	for _, row := range []struct {
		name, user, password string
		want                 bool
	}{
		{"as htpasswd -B writes it", "anna", "U*U", true},
		{"older bcrypt", "bert", "U*U", true},
		{"newer bcrypt", "cleo", "U*U", true},
		{"any characters", "fred", "pass word:é", true},
		{"wrong", "anna", "U*V", false},
		{"longer", "anna", "U*U ", false},
		{"of somebody else", "fred", "U*U", false},
		{"unknown user", "gina", "U*U", false},
		{"no user", "", "U*U", false},
		{"other case", "ANNA", "U*U", false},
		{"longest", "dora", long, true},
		{"what bcrypt would cut off", "dora", long + "y", false},
		{"empty although the hash is of nothing", "emil", "", false},
		{"what bcrypt takes for the same because it repeats the key", "anna", "U*U\x00U*U", false},
	} {
		t.Run(row.name, func(t *testing.T) { assert.Equal(t, row.want, p.Verify(row.user, row.password)) })
	}
}

func TestPasswordsRefuses(t *testing.T) {
	for _, row := range []struct{ name, line, want string }{
		{"no colon", "anna", "no colon"},
		{"no name", ":$2y$05$" + openwall, "the user's name is missing"},
		{"blank in the name", "anna b:$2y$05$" + openwall, "the user's name has a character"},
		{"twice", "anna:$2y$05$" + openwall, "further up"},
		{"MD5", "bert:$apr1$aaaaaaaa$bbbbbbbbbbbbbbbbbbbbbb", "not a bcrypt hash"},
		{"SHA-1", "bert:{SHA}VBPuJHI7uixaa6LQGWx4s+5GKNE=", "not a bcrypt hash"},
		{"DES", "bert:rqXexS6ZhobKA", "not a bcrypt hash"},
		{"SHA-512", "bert:$6$rounds=abc$x", "not a bcrypt hash"},
		{"argon2", "bert:$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA", "not a bcrypt hash"},
		{"plain text", "bert:secret", "not a bcrypt hash"},
		{"empty", "bert:", "not a bcrypt hash"},
		{"the broken bcrypt", "bert:$2x$05$" + openwall, "not a bcrypt hash"},
		{"cut off", "bert:$2y$05$" + openwall[:len(openwall)-1], "damaged"},
		{"too long", "bert:$2y$05$" + openwall + "x", "damaged"},
		{"another field", "bert:$2y$05$" + openwall[:len(openwall)-3] + ":ab", "damaged"},
		{"bad character", "bert:$2y$05$" + strings.Replace(openwall, "E", "!", 1), "damaged"},
		{"no cost", "bert:$2y$xx$" + openwall, "without a valid cost"},
		{"low cost", "bert:$2y$03$" + openwall, "without a valid cost"},
		{"high cost", "bert:$2y$15$" + openwall, "at most 14"},
		{"hash as a name", openwall + ":" + openwall, "not a bcrypt hash"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := Load(writeFile(t, "htpasswd", "anna:$2y$05$"+openwall+"\n"+row.line+"\n"))
			require.ErrorContains(t, err, row.want)
			assert.ErrorContains(t, err, "htpasswd:2: ")
			assert.NotContains(t, err.Error(), openwall[:20])
			if _, hash, _ := strings.Cut(row.line, ":"); hash != "" {
				assert.NotContains(t, err.Error(), hash)
			}
		})
	}
}

// A comparison with a dummy does all of the work: an invalid hash would be refused at once.
func TestDummyHashCostsAsMuch(t *testing.T) {
	for cost := bcrypt.MinCost; cost <= 6; cost++ {
		hash := dummyHash(cost)
		got, err := bcrypt.Cost(hash)
		require.NoError(t, err)
		assert.Equal(t, cost, got)
		assert.Equal(t, bcrypt.ErrMismatchedHashAndPassword, bcrypt.CompareHashAndPassword(hash, []byte("x")))
		_, err = bcryptCost(string(hash))
		assert.NoError(t, err)
	}
}

// What is read can be written and read again as the same, and errors hold no hash.
func FuzzPasswords(f *testing.F) {
	for _, seed := range []string{
		"anna:$2y$05$" + openwall + "\n", "# x\n\nanna:$2a$04$" + openwall + "\r\nbert:$2b$14$" + openwall,
		"anna:$2y$05$" + openwall[:40], "anna:{SHA}VBPuJHI7uixaa6LQGWx4s+5GKNE=", "anna", ":", "anna:$6$rounds=abc$",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p := &Passwords{hashes: map[string][]byte{}}
		if err := textfile.EachLineOf("htpasswd", text, p.add); err != nil {
			for line := range strings.Lines(text) {
				if _, hash, _ := strings.Cut(strings.TrimSpace(line), ":"); len(hash) > 20 && !strings.Contains(hash, " ") {
					require.NotContains(t, err.Error(), hash)
				}
			}
			return
		}
		var b strings.Builder
		for _, user := range slices.Sorted(maps.Keys(p.hashes)) {
			fmt.Fprintf(&b, "%s:%s\n", user, p.hashes[user])
		}
		again := &Passwords{hashes: map[string][]byte{}}
		require.NoError(t, textfile.EachLineOf("htpasswd", b.String(), again.add))
		require.Equal(t, p, again)
	})
}
