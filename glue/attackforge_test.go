package glue_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/keys"
)

// replyEncoding is how the protocol writes a signature.
var replyEncoding = base64.NewEncoding("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.").WithPadding('_')

// sha1Prefix is the DER that precedes a SHA-1 digest (RFC 8017 section 9.2, note 1).
var sha1Prefix = []byte{0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14}

// lowExponentKey is a key with the exponent 3, for which signatures can be forged without
// the private half if whoever checks them does so carelessly.
var lowExponentKey = sync.OnceValue(func() *rsa.PrivateKey {
	one := big.NewInt(1)
	prime := func() (p, phi *big.Int) {
		for {
			p, err := rand.Prime(rand.Reader, 768)
			if err != nil {
				panic(err) // the system's random source never fails
			}
			phi := new(big.Int).Sub(p, one)
			if new(big.Int).Mod(phi, big.NewInt(3)).Sign() != 0 {
				return p, phi
			}
		}
	}
	for {
		p, pPhi := prime()
		q, qPhi := prime()
		d := new(big.Int).ModInverse(big.NewInt(3), new(big.Int).Mul(pPhi, qPhi))
		key := &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: new(big.Int).Mul(p, q), E: 3}, D: d, Primes: []*big.Int{p, q}}
		if p.Cmp(q) != 0 && key.Validate() == nil {
			key.Precompute()
			return key
		}
	}
})

// publishedKey gives a private key that everybody has, one of RFC 9500.
func publishedKey(t testing.TB, name string) *rsa.PrivateKey {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "webauth", "internal", "testkeys", name+".pem"))
	require.NoError(t, err)
	block, _ := pem.Decode(text)
	require.NotNil(t, block)
	key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	require.NoError(t, err)
	return key
}

// knownKey gives a public key that the login service's operators might trust by mistake.
func knownKey(t testing.TB, name, kid string) keys.Key {
	t.Helper()
	if name == "demo" {
		key, err := keys.LoadFileAs(kid, filepath.Join("..", "keys", "pubkey901"))
		require.NoError(t, err)
		return key
	}
	key, err := keys.New(kid, &publishedKey(t, name).PublicKey)
	require.NoError(t, err)
	return key
}

// forge signs an answer as the login service would not.
func (w *attackWorld) forge(r *wlsReply, how string) {
	fields := r.fields(w.t)
	kid, key := w.fakes["soc"].Key()
	how, arg, _ := strings.Cut(how, " ")
	sig, err := replyEncoding.DecodeString(fields[13])
	require.NoError(w.t, err)
	switch how {
	case "kid": // the signature is genuine
		fields[12] = arg
		r.value = joined(fields)
		return
	case "with": // a key that everybody has
		name, kid, _ := strings.Cut(arg, " as ")
		r.value, err = onTheWire(fields).Sign(publishedKey(w.t, name), kid)
		require.NoError(w.t, err)
		return
	case "foreign": // the key of another service
		r.value, err = onTheWire(fields).Sign(foreignKey(), kid)
		require.NoError(w.t, err)
		return
	case "of": // another answer
		other := w.actor(arg).reply
		fields[13] = other.fields(w.t)[13]
		r.value = joined(fields)
		return
	case "spelt":
		fields[13] = spelt(w.t, sig, arg)
		r.value = joined(fields)
		return
	}
	for how == "garbage-inside" && digestOf(fields)[sha1.Size-1]%2 == 0 {
		fields[4] += "x" // only odd numbers have the cube root that is needed
	}
	forged := forgery(w.t, how, key, signedText(fields), sig)
	require.NotEqual(w.t, sig, forged)
	fields[12], fields[13] = kid, replyEncoding.EncodeToString(forged)
	r.value = joined(fields)
}

// signedText is what a signature covers.
func signedText(fields []string) []byte {
	return []byte(strings.TrimSuffix(onTheWire(fields).Unsigned(), "!!"))
}

func digestOf(fields []string) [sha1.Size]byte { return sha1.Sum(signedText(fields)) }

// spelt writes a genuine signature in another way.
func spelt(t testing.TB, sig []byte, how string) string {
	own := replyEncoding.EncodeToString(sig)
	switch how {
	case "as base64":
		return base64.StdEncoding.EncodeToString(sig)
	case "as base64url":
		return base64.URLEncoding.EncodeToString(sig)
	case "without padding":
		return strings.TrimRight(own, "_")
	case "with more padding":
		return own + "_"
	case "with stray bits": // those of the last letter that the padding makes meaningless
		body := strings.TrimRight(own, "_")
		alphabet := "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-."
		i := strings.IndexByte(alphabet, body[len(body)-1])
		return body[:len(body)-1] + string(alphabet[i+1]) + own[len(body):]
	case "with a line break":
		return own[:8] + "\n" + own[8:]
	case "with a blank":
		return own[:8] + " " + own[8:]
	}
	require.Fail(t, "spelt how?", "%q", how)
	return ""
}

// forgery makes a signature that a careless check would accept.
func forgery(t testing.TB, how string, key *rsa.PrivateKey, text, sig []byte) []byte {
	t.Helper()
	digest := sha1.Sum(text)
	info := append(slices.Clone(sha1Prefix), digest[:]...)
	n, s := key.N, new(big.Int).SetBytes(sig)
	size := key.Size()
	switch how {
	case "padded-left":
		return append([]byte{0}, sig...)
	case "padded-right":
		return append(slices.Clone(sig), 0)
	case "cut-left":
		return sig[1:]
	case "cut-right":
		return sig[:len(sig)-1]
	case "twice":
		return slices.Concat(sig, sig)
	case "plus-modulus": // the same number to whoever reduces it first
		return s.Add(s, n).FillBytes(make([]byte, size+1))
	case "minus":
		return s.Sub(n, s).FillBytes(make([]byte, size))
	case "zero":
		return make([]byte, size)
	case "one":
		return big.NewInt(1).FillBytes(make([]byte, size))
	case "nothing":
		return nil
	case "sha256":
		sum := sha256.Sum256(text)
		return signPKCS1(t, key, crypto.SHA256, sum[:])
	case "pss":
		out, err := rsa.SignPSS(rand.Reader, key, crypto.SHA1, digest[:], nil)
		require.NoError(t, err)
		return out
	case "bare-digest": // no DigestInfo around it
		return signPKCS1(t, key, 0, digest[:])
	case "no-null": // a DigestInfo that leaves the parameters out
		short := slices.Concat([]byte{0x30, 0x1f, 0x30, 0x07}, sha1Prefix[4:11], sha1Prefix[13:], digest[:])
		return signPKCS1(t, key, 0, short)
	case "short-padding": // the private half is needed, the careless check is the same
		return signRaw(key, slices.Concat([]byte{0, 1, 0xff, 0}, info))
	case "padding-of-zeros":
		return signRaw(key, slices.Concat([]byte{0, 1}, make([]byte, size-3-len(info)), []byte{0}, info))
	case "block-type-2":
		pad := slices.Repeat([]byte{0xff}, size-3-len(info))
		return signRaw(key, slices.Concat([]byte{0, 2}, pad, []byte{0}, info))
	case "garbage-after":
		return cubeRootBefore(t, key, slices.Concat([]byte{0, 1}, slices.Repeat([]byte{0xff}, 8), []byte{0}, info))
	case "garbage-inside":
		return cubeRootAround(t, key, digest[:])
	}
	require.Fail(t, "forged how?", "%q", how)
	return nil
}

func signPKCS1(t testing.TB, key *rsa.PrivateKey, hash crypto.Hash, digest []byte) []byte {
	t.Helper()
	out, err := rsa.SignPKCS1v15(nil, key, hash, digest)
	require.NoError(t, err)
	return out
}

// signRaw signs a whole block; what is missing at its end is zero.
func signRaw(key *rsa.PrivateKey, block []byte) []byte {
	block = append(block, make([]byte, key.Size()-len(block))...)
	m := new(big.Int).SetBytes(block)
	return m.Exp(m, key.D, key.N).FillBytes(make([]byte, key.Size()))
}

// cubeRootBefore forges, without the private half of a key with the exponent 3, a
// signature of a block that begins as it should and ends in garbage (D. Bleichenbacher's
// attack of 2006).
func cubeRootBefore(t testing.TB, key *rsa.PrivateKey, begin []byte) []byte {
	t.Helper()
	require.Equal(t, 3, key.E)
	size := key.Size()
	block := append(slices.Clone(begin), make([]byte, size-len(begin))...)
	s := cubeRootUp(new(big.Int).SetBytes(block))
	got := new(big.Int).Exp(s, big.NewInt(3), key.N).FillBytes(make([]byte, size))
	require.Equal(t, begin, got[:len(begin)], "the forgery would not fool anybody")
	return s.FillBytes(make([]byte, size))
}

// cubeRootAround hides the garbage in the parameters of the DigestInfo, so that the block
// ends in the digest as it should.
func cubeRootAround(t testing.TB, key *rsa.PrivateKey, digest []byte) []byte {
	t.Helper()
	size := key.Size()
	end := append([]byte{0x04, 0x14}, digest...)
	padding := slices.Concat([]byte{0, 1}, slices.Repeat([]byte{0xff}, 8), []byte{0})
	left := size - len(padding) // of the block, for the DigestInfo
	begin := slices.Concat(padding, []byte{0x30, 0x81, byte(left - 3), 0x30, 0x81, byte(left - 6 - len(end))},
		sha1Prefix[4:11], []byte{0x04, 0x81, byte(left - 16 - len(end))})
	// The low bits of the root make the end, the high ones the beginning. The cube of
	// an odd number is odd: the digest must be.
	bits := uint(8 * len(end))
	mod := new(big.Int).Lsh(big.NewInt(1), bits)
	low := cubeRootMod(new(big.Int).SetBytes(end), bits)
	block := append(slices.Clone(begin), make([]byte, size-len(begin))...)
	block[len(begin)] = 0x80 // room for the low bits to change
	high := cubeRootUp(new(big.Int).SetBytes(block))
	s := high.Sub(high, new(big.Int).Mod(high, mod))
	s.Add(s, low)
	got := new(big.Int).Exp(s, big.NewInt(3), key.N).FillBytes(make([]byte, size))
	require.Equal(t, begin, got[:len(begin)], "the forgery would not fool anybody")
	require.Equal(t, end, got[size-len(end):], "the forgery would not fool anybody")
	return s.FillBytes(make([]byte, size))
}

// cubeRootUp is the least number whose cube is not below n.
func cubeRootUp(n *big.Int) *big.Int {
	low, high := big.NewInt(0), new(big.Int).Lsh(big.NewInt(1), uint(n.BitLen()/3+1))
	for three := big.NewInt(3); low.Cmp(high) < 0; {
		middle := new(big.Int).Add(low, high)
		middle.Rsh(middle, 1)
		if new(big.Int).Exp(middle, three, nil).Cmp(n) < 0 {
			low = middle.Add(middle, big.NewInt(1))
		} else {
			high = middle
		}
	}
	return low
}

// cubeRootMod is the number whose cube ends, in so many bits, as the odd number n does.
func cubeRootMod(n *big.Int, bits uint) *big.Int {
	root, three := big.NewInt(1), big.NewInt(3)
	for i := uint(1); i < bits; i++ {
		if new(big.Int).Exp(root, three, nil).Bit(int(i)) != n.Bit(int(i)) {
			root.SetBit(root, int(i), 1)
		}
	}
	return root
}
