package webauth_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha1"
	"encoding/base64"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/webauth"
	"github.com/ucam-webauth/go-webauth/webauth/internal/testkeys"
	"github.com/ucam-webauth/go-webauth/webauth/wls"
)

// benchURL is on loopback, because RFC 9500's keys are trusted nowhere else.
const benchURL = "http://localhost:8080/private/page?n=1"

var benchKeys = []struct {
	name string
	key  func() *rsa.PrivateKey
}{
	{"rsa1024", testkeys.RSA1024},
	{"rsa2048", testkeys.RSA2048},
	{"rsa4096", testkeys.RSA4096},
}

// benchResponse is a response as a site gets them, with a token of ours in params.
func benchResponse(b *testing.B, key *rsa.PrivateKey) string {
	b.Helper()
	signer := newSigner(b, func(c *webauth.SignerConfig) { c.Origin = benchURL })
	req, err := signer.Sign(webauth.NewBrowserSecret(), webauth.Request{URL: benchURL})
	require.NoError(b, err)
	r := success(req.Params)
	r.URL = benchURL
	value, err := r.Sign(key, testKid)
	require.NoError(b, err)
	return value
}

func benchVerifier(b *testing.B, key *rsa.PrivateKey) *webauth.Verifier {
	b.Helper()
	return bareVerifier(b, func(c *webauth.VerifierConfig) { c.Service.Keys = keySet(b, testKid, &key.PublicKey) })
}

// BenchmarkVerify is parsing and verifying one response, token and store apart.
func BenchmarkVerify(b *testing.B) {
	for _, k := range benchKeys {
		b.Run(k.name, func(b *testing.B) {
			value, v := benchResponse(b, k.key()), benchVerifier(b, k.key())
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.Verify(b.Context(), value, webauth.Expect{URL: benchURL}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkRSAOnly is the part of BenchmarkVerify that nobody can save.
func BenchmarkRSAOnly(b *testing.B) {
	for _, k := range benchKeys {
		b.Run(k.name, func(b *testing.B) {
			digest, sig := benchSignature(b, benchResponse(b, k.key()))
			pub := &k.key().PublicKey
			b.ReportAllocs()
			for b.Loop() {
				if err := rsa.VerifyPKCS1v15(pub, crypto.SHA1, digest, sig); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// benchSignature takes digest and signature out of a response.
func benchSignature(b *testing.B, value string) (digest, sig []byte) {
	b.Helper()
	text, tail, found := strings.Cut(value, "!"+testKid+"!")
	require.True(b, found)
	sig, err := base64.StdEncoding.DecodeString(strings.NewReplacer("-", "+", ".", "/", "_", "=").Replace(tail))
	require.NoError(b, err)
	sum := sha1.Sum([]byte(text))
	return sum[:], sig
}

// BenchmarkReject is what it costs to refuse what anybody can send.
func BenchmarkReject(b *testing.B) {
	key := testkeys.RSA2048()
	good := benchResponse(b, key)
	forged, err := success("").Sign(testkeys.RSA4096(), testKid)
	require.NoError(b, err)
	unsigned := wls.Response{Ver: 1, Status: wls.StatusCancelled, Issue: testNow, ID: "1", URL: benchURL}
	cancel, err := unsigned.Unsigned()
	require.NoError(b, err)
	for _, bench := range []struct {
		name, value string
		reason      webauth.Reason
	}{
		{"bad signature", strings.Replace(good, "test0001", "test0002", 1), webauth.ReasonSignature},
		{"signature of another size", strings.Replace(forged, pageURL, benchURL, 1), webauth.ReasonSignature},
		{"unknown key", strings.Replace(good, "!"+testKid+"!", "!502!", 1), webauth.ReasonUnknownKey},
		{"unsigned failure", cancel, webauth.ReasonStatus},
		{"malformed", strings.Repeat("!", 8192), webauth.ReasonMalformed},
	} {
		b.Run(strings.ReplaceAll(bench.name, " ", "-"), func(b *testing.B) {
			v := benchVerifier(b, key)
			b.ReportAllocs()
			for b.Loop() {
				_, err := v.Verify(b.Context(), bench.value, webauth.Expect{URL: benchURL})
				if webauth.ReasonOf(err) != bench.reason {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkMemoryOneUse is how long one call can make all others wait: while a memory
// fills with items, and while these expire, all at once. A call does the same work in each
// round, so that the best of its times (of "-benchtime 9x", say) is without those of
// whatever else the machine does.
func BenchmarkMemoryOneUse(b *testing.B) {
	for _, many := range []int{500_000, 1_000_000} {
		b.Run(strconv.Itoa(many), func(b *testing.B) { benchMemory(b, many) })
	}
}

func benchMemory(b *testing.B, many int) {
	items := make([]webauth.Item, many+many/5)
	for i := range items {
		at := testNow.Add(time.Duration(i) * time.Hour / time.Duration(2*many))
		if i >= many {
			at = at.Add(2 * time.Hour)
		}
		items[i] = webauth.Item{ID: "token:" + strconv.Itoa(i), Issued: at, Expires: at.Add(time.Hour)}
	}
	best := slices.Repeat([]time.Duration{time.Hour}, len(items))
	size := uint64(0)
	for b.Loop() {
		now := newMoving(testNow)
		empty := heapInUse()
		m := webauth.NewMemoryOneUse(2*many, now.now)
		for i, it := range items {
			if i == many {
				size = heapInUse() - empty
			}
			now.at.Store(it.Issued.UnixNano())
			began := time.Now()
			if err := m.Once(b.Context(), it); err != nil {
				b.Fatal(err)
			}
			best[i] = min(best[i], time.Since(began))
		}
	}
	b.ReportMetric(float64(size)/float64(many), "B/item")
	b.ReportMetric(float64(slices.Max(best[:many]).Nanoseconds())/1000, "longest-filling-µs")
	b.ReportMetric(float64(slices.Max(best[many:]).Nanoseconds())/1000, "longest-expiring-µs")
}

func heapInUse() uint64 {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}
