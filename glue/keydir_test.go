package glue_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/keys"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// writeKey puts the key that the fake signs with now into a directory of keys.
func writeKey(t *testing.T, dir, kid string, key *rsa.PrivateKey) {
	t.Helper()
	data := pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(&key.PublicKey)})
	require.NoError(t, os.WriteFile(filepath.Join(dir, "pubkey"+kid), data, 0o644))
}

// A service changes its key, and the site its secret, while people log in: no login
// fails, and a key whose file is gone is trusted no more.
func TestKeysAndSecretRotateUnderLoad(t *testing.T) {
	dir, file := t.TempDir(), filepath.Join(t.TempDir(), "secret")
	fake := newFake(t)
	oldKid, oldKey := fake.Key()
	writeKey(t, dir, oldKid, oldKey)
	keyDir, err := keys.NewDir(keys.DirConfig{Path: dir, Now: fake.Now})
	require.NoError(t, err)
	s := startSite(t, setup{fake: fake, config: func(c *config) {
		c.wls(func(s *webauth.Service) { s.Keys = keyDir })
		c.Secret, c.SecretFile = "", file
	}})
	secret, err := os.ReadFile(file)
	require.NoError(t, err)

	var people sync.WaitGroup
	rotated := make(chan struct{})
	for i := range 8 {
		people.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-rotated:
					return
				default:
				}
				resp, err := s.fake.Client(fmt.Sprintf("test%04d", i+1)).Get(s.url + "/private/")
				if assert.NoError(t, err) {
					assert.Equal(t, http.StatusOK, resp.StatusCode)
					_ = resp.Body.Close()
				}
			}
		})
	}
	for i := range 5 {
		secret = append([]byte(rand.Text()+rand.Text()+"\n"), secret...)
		require.NoError(t, os.WriteFile(file, secret, 0o600))
		require.NoError(t, s.auth.Site().ReloadSecret())
		// The service hands out its next key before it signs with it.
		writeKey(t, dir, fmt.Sprint(100+i), wlsKey())
		require.NoError(t, keyDir.Reload())
	}
	close(rotated)
	people.Wait()

	// A login in flight when both change goes on.
	b := s.browser("test0001")
	back := s.respond(b.begin("/private/"), "test0001")
	secret = append([]byte(rand.Text()+rand.Text()+"\n"), secret...)
	require.NoError(t, os.WriteFile(file, secret, 0o600))
	require.NoError(t, s.auth.Site().ReloadSecret())
	kid := fake.RotateKey(true)
	_, key := fake.Key()
	writeKey(t, dir, kid, key)
	require.NoError(t, keyDir.Reload())
	b.get(back).requireEcho("test0001")

	// A key's file goes, and trust in it at once.
	b = s.browser("test0002")
	back = s.respond(b.begin("/private/"), "test0002")
	require.NoError(t, os.Remove(filepath.Join(dir, "pubkey"+kid)))
	fake.Advance(11 * time.Second) // the directory is read again
	b.get(back).requirePage(http.StatusForbidden, "refused")
	assert.EqualValues(t, "unknown-key", s.lastEvent(glue.EventRefused).Reason)
}
