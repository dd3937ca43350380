package webauth_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/keys"
	"github.com/ucam-webauth/go-webauth/webauth"
	"github.com/ucam-webauth/go-webauth/webauth/wls"
)

// The site, the page and the moment that most tests are about.
const (
	siteOrigin = "https://soc.example"
	pageURL    = siteOrigin + "/private/page?n=1&m="
	testKid    = "501"
)

var testNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// siteKey is a WLS key that nobody else knows, made on the spot: RFC 9500's keys are
// published, so that a site off loopback refuses them.
var siteKey = sync.OnceValue(func() *rsa.PrivateKey { return newRSAKey() })

// otherKey is a key that no service of these tests signs with.
var otherKey = sync.OnceValue(func() *rsa.PrivateKey { return newRSAKey() })

func newRSAKey() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		panic(err)
	}
	return key
}

// keySet is a set of one key.
func keySet(t testing.TB, kid string, pub *rsa.PublicKey) *keys.Set {
	t.Helper()
	key, err := keys.New(kid, pub)
	require.NoError(t, err)
	set, err := keys.NewSet(key)
	require.NoError(t, err)
	return set
}

func testService(t testing.TB) webauth.Service {
	t.Helper()
	return webauth.Service{
		Name:    "test",
		AuthURL: "https://wls.example/authenticate",
		Keys:    keySet(t, testKid, &siteKey().PublicKey),
	}
}

func clock(at time.Time) func() time.Time { return func() time.Time { return at } }

// secretBytes is one key for a RequestSigner.
func secretBytes(fill string) []byte { return []byte(strings.Repeat(fill, 32)[:32]) }

func newSigner(t testing.TB, edit func(*webauth.SignerConfig)) *webauth.RequestSigner {
	t.Helper()
	cfg := webauth.SignerConfig{
		Service: testService(t), Origin: siteOrigin, Keys: [][]byte{secretBytes("k")}, Now: clock(testNow),
	}
	if edit != nil {
		edit(&cfg)
	}
	signer, err := webauth.NewRequestSigner(cfg)
	require.NoError(t, err)
	return signer
}

// success is a version 3 success for pageURL, made one second ago.
func success(params string) wls.Response {
	life := 3600
	return wls.Response{
		Ver: 3, Status: wls.StatusSuccess, Issue: testNow.Add(-time.Second), ID: "1772366399-00001-1",
		URL: pageURL, Principal: "test0001", Ptags: []string{"current"}, Auth: "pwd", Life: &life, Params: params,
	}
}

// failure is what a service sends when the person did not log in.
func failure(ver, status int, params string) wls.Response {
	return wls.Response{
		Ver: ver, Status: status, Msg: "no", Issue: testNow.Add(-time.Second), ID: "1772366399-00001-2",
		URL: pageURL, Params: params,
	}
}

// signed gives the value signed by the service's own key.
func signed(t testing.TB, r wls.Response) string {
	t.Helper()
	return signedBy(t, r, siteKey(), testKid)
}

func signedBy(t testing.TB, r wls.Response, key *rsa.PrivateKey, kid string) string {
	t.Helper()
	value, err := r.Fields().Sign(key, kid)
	require.NoError(t, err)
	return value
}

// wantReason asserts that err is an *Error with this reason, and gives it.
func wantReason(t testing.TB, reason webauth.Reason, err error) *webauth.Error {
	t.Helper()
	var e *webauth.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, reason, e.Reason, e.Error())
	assert.NotEmpty(t, e.Detail)
	return e
}

// ledger is a OneUse that shows what was marked.
type ledger struct {
	mu    sync.Mutex
	items map[string]webauth.Item
	fail  func(webauth.Item) error
}

func (l *ledger) Once(_ context.Context, item webauth.Item) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fail != nil {
		if err := l.fail(item); err != nil {
			return err
		}
	}
	if _, used := l.items[item.ID]; used {
		return webauth.ErrUsed
	}
	if l.items == nil {
		l.items = map[string]webauth.Item{}
	}
	l.items[item.ID] = item
	return nil
}

// marks lists the kinds of what was marked: response, token, unsigned token.
func (l *ledger) marks() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	kinds := []string{}
	for item := range maps.Values(l.items) {
		kind, _, _ := strings.Cut(item.ID, ":")
		if item.Unsigned {
			kind = "unsigned " + kind
		}
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	return kinds
}

// rooms gives the room of each kind that was marked.
func (l *ledger) rooms() map[string]webauth.Room {
	l.mu.Lock()
	defer l.mu.Unlock()
	found := map[string]webauth.Room{}
	for item := range maps.Values(l.items) {
		kind, _, _ := strings.Cut(item.ID, ":")
		found[kind] = item.Room()
	}
	return found
}

// site is everything that a site with a RequestSigner has, and one browser.
type site struct {
	service webauth.Service
	signer  *webauth.RequestSigner
	used    *ledger
	once    webauth.OneUse // over used
	secret  webauth.BrowserSecret
}

func newSite(t testing.TB) *site {
	t.Helper()
	used := &ledger{}
	return &site{service: testService(t), signer: newSigner(t, nil), used: used, once: used, secret: webauth.NewBrowserSecret()}
}

// onEachStore calls test with a new site for each kind of OneUse.
func onEachStore(t *testing.T, name string, test func(t *testing.T, s *site)) {
	for kind, store := range stores {
		t.Run(name+"/"+kind, func(t *testing.T) {
			s := newSite(t)
			s.once = store(s.used)
			test(t, s)
		})
	}
}

func (s *site) verifier(t testing.TB, edit func(*webauth.VerifierConfig)) *webauth.Verifier {
	t.Helper()
	cfg := webauth.VerifierConfig{Service: s.service, Signer: s.signer, OneUse: s.once, Now: clock(testNow)}
	if edit != nil {
		edit(&cfg)
	}
	v, err := webauth.NewVerifier(cfg)
	require.NoError(t, err)
	return v
}

// params asks for pageURL as the site would and gives the token.
func (s *site) params(t testing.TB, edit func(*webauth.Request)) string {
	t.Helper()
	req := webauth.Request{URL: pageURL}
	if edit != nil {
		edit(&req)
	}
	out, err := s.signer.Sign(s.secret, req)
	require.NoError(t, err)
	return out.Params
}

// here is what the browser that asked for pageURL brings back.
func (s *site) here() webauth.Expect { return webauth.Expect{URL: pageURL, Secret: s.secret} }

// bareVerifier is a verifier without token and one use, as for diagnosis.
func bareVerifier(t testing.TB, edit func(*webauth.VerifierConfig)) *webauth.Verifier {
	t.Helper()
	cfg := webauth.VerifierConfig{
		Service: testService(t), Now: clock(testNow), InsecureNoToken: true, InsecureNoReplayCheck: true,
	}
	if edit != nil {
		edit(&cfg)
	}
	v, err := webauth.NewVerifier(cfg)
	require.NoError(t, err)
	return v
}

// loadVectors reads a file of the shared vectors into rows and fails without any.
func loadVectors[T any](t testing.TB, name string) []T {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "testdata", name))
	require.NoError(t, err)
	var file struct {
		About string
		Rows  []T
	}
	require.NoError(t, json.Unmarshal(data, &file))
	require.NotEmpty(t, file.Rows, "%s holds no vectors", name)
	return file.Rows
}
