package webauth

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestCheckTokenForm gives a good MAC to bodies that Sign does not make, as an older
// or a newer release might.
func TestCheckTokenForm(t *testing.T) {
	s := &RequestSigner{keys: [][]byte{make([]byte, 32)}, ttl: time.Hour, now: func() time.Time { return time.Unix(1772366400, 0) }}
	secret, url := NewBrowserSecret(), "https://soc.example/"
	for body, ok := range map[string]bool{
		"1.1772366400.a.nonce":                   true,
		"1.1772366400.y~pwd~x-otp.nonce":         true,
		"1.1772366400~000001.a.nonce":            true,
		"1.1772366399~999999.a.nonce":            true,
		"1.1772366400~000000.a.nonce":            false,
		"1.1772366400~1.a.nonce":                 false,
		"1.1772366400~0000001.a.nonce":           false,
		"1.1772366400~-00001.a.nonce":            false,
		"1.1772366400~.a.nonce":                  false,
		"1.1772366400~000001~000001.a.nonce":     false,
		"1.~000001.a.nonce":                      false,
		"1.+1772366400.a.nonce":                  false,
		"2.1772366400.a.nonce":                   false,
		"2.1772366400.a.nonce.silent":            true,
		"2.1772366400.a.nonce.":                  false,
		"2.1772366400.a.nonce.a b":               false,
		"2.1772366400.a.nonce.note.more":         false,
		"3.1772366400.a.nonce.note":              false,
		"1.1772366400.a":                         false,
		"1.1772366400.a.nonce.more":              false,
		"1.now.a.nonce":                          false,
		"1.1772366400..nonce":                    false,
		"1.1772366400.x.nonce":                   false,
		"1.1772366400.yes.nonce":                 false,
		"1.1772366400.a~.nonce":                  false,
		"1.1772366400.a~pwd~.nonce":              false,
		"1.1772366400.a~p,d.nonce":               false,
		"1.99999999999999999999.a.nonce":         false,
		"1.-9223372036854775808.a.nonce":         false,
		"1.1772366400.a~1~2~3~4~5~6~7~8~9.nonce": false,
		"":                                       false,
	} {
		token, err := s.Check(secret, url, body+"."+mac(s.keys[0], body, url, secret))
		assert.Equal(t, ok, err == nil, "%q: %v", body, err)
		if err != nil {
			assert.Empty(t, token)
		}
	}
}

// TestCheckTokenSecretForm gives a good MAC to a secret that is none, an empty one
// above all.
func TestCheckTokenSecretForm(t *testing.T) {
	s := &RequestSigner{keys: [][]byte{make([]byte, 32)}, ttl: time.Hour, now: func() time.Time { return time.Unix(1772366400, 0) }}
	body, url := "1.1772366400.a.nonce", "https://soc.example/"
	for _, secret := range []BrowserSecret{"", "short", "AAAAAAAAAAAAAAAAAAAAAB"} {
		_, err := s.Check(secret, url, body+"."+mac(s.keys[0], body, url, secret))
		require.Error(t, err, "%q", string(secret))
	}
}

// TestMACPartsCannotMove: where one part ends and the next begins is under the MAC.
func TestMACPartsCannotMove(t *testing.T) {
	key := make([]byte, 32)
	seen := map[string]string{}
	whole := "abcdef"
	for i := range len(whole) + 1 {
		for j := i; j <= len(whole); j++ {
			sum := mac(key, whole[:i], whole[i:j], BrowserSecret(whole[j:]))
			require.Empty(t, seen[sum])
			seen[sum] = strings.Join([]string{whole[:i], whole[i:j], whole[j:]}, "|")
		}
	}
}
