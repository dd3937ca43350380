package oauth2server

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"hash/crc32"
	"strings"
)

// prefix says what a secret text is for. It is part of the text, so that one kind can
// never serve as another, and so that scanners for leaked secrets know ours by sight.
type prefix string

const (
	prefixPersonal prefix = "wlsp_" // a personal access token: a bearer token
	prefixAccess   prefix = "wlsa_" // an access token of an application: a bearer token
	prefixRefresh  prefix = "wlsr_" // a refresh token: good at the token endpoint only
	prefixCode     prefix = "wlsc_" // an authorization code: likewise
	prefixSecret   prefix = "wlss_" // the secret of a confidential client: likewise
)

// A secret text is a prefix, 43 random characters of 62 (256.03 bits) and the CRC-32
// of all that in 6 more, most significant first.
const (
	alphabet     = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	prefixLength = 5
	randomLength = 43
	sumLength    = 6
	textLength   = prefixLength + randomLength + sumLength
)

// hash is the SHA-256 of a secret text: all that is ever stored of it. The text has 256
// random bits, so that nothing slower is needed, and looking a hash up in an index tells
// nothing about the text by its timing. The zero hash stands for "none".
type hash [sha256.Size]byte

func (h hash) isZero() bool { return h == hash{} }

// equal compares in constant time.
func (h hash) equal(other hash) bool { return subtle.ConstantTimeCompare(h[:], other[:]) == 1 }

// mint makes a new secret text: the text is for its owner, the hash for the store.
func mint(p prefix) (text string, h hash) {
	b := make([]byte, 0, textLength)
	b = append(b, p...)
	b = appendRandom(b, randomLength)
	b = appendSum(b)
	return string(b), sha256.Sum256(b)
}

// parse checks a secret text's form, which needs no database. ok is false unless mint
// can have made it.
func parse(text string) (p prefix, h hash, ok bool) {
	if len(text) != textLength {
		return "", hash{}, false
	}
	p = prefix(text[:prefixLength])
	switch p {
	case prefixPersonal, prefixAccess, prefixRefresh, prefixCode, prefixSecret:
	default:
		return "", hash{}, false
	}
	body := textLength - sumLength
	if strings.Trim(text[prefixLength:body], alphabet) != "" || string(appendSum([]byte(text[:body]))) != text {
		return "", hash{}, false
	}
	return p, sha256.Sum256([]byte(text)), true
}

// parseAs is parse for one kind.
func parseAs(p prefix, text string) (h hash, ok bool) {
	found, h, ok := parse(text)
	if !ok || found != p {
		return hash{}, false
	}
	return h, true
}

// appendRandom appends n characters of the alphabet, each as likely as the others:
// bytes that would make some of them likelier are thrown away.
func appendRandom(b []byte, n int) []byte {
	const fair = 256 / len(alphabet) * len(alphabet)
	var raw [64]byte
	for n > 0 {
		rand.Read(raw[:])
		for _, r := range raw {
			if n > 0 && int(r) < fair {
				b = append(b, alphabet[int(r)%len(alphabet)])
				n--
			}
		}
	}
	return b
}

// appendSum appends the checksum of all that is there.
func appendSum(b []byte) []byte {
	sum := crc32.ChecksumIEEE(b)
	var digits [sumLength]byte
	for i := range digits {
		digits[sumLength-1-i] = alphabet[sum%uint32(len(alphabet))]
		sum /= uint32(len(alphabet))
	}
	return append(b, digits[:]...)
}
