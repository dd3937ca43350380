// Package credential makes and reads the secret texts that are given out, of which only
// hashes are stored.
package credential

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"hash/crc32"
	"strings"
)

// Prefix says what a secret text is for. It is part of the text, so that one kind can
// never serve as another, and so that scanners for leaked secrets know ours by sight.
type Prefix string

const (
	Personal Prefix = "wlsp_" // a personal access token: a bearer token
	Access   Prefix = "wlsa_" // an access token of an application: a bearer token
	Refresh  Prefix = "wlsr_" // a refresh token: good at the token endpoint only
	Code     Prefix = "wlsc_" // an authorization code: likewise
	Secret   Prefix = "wlss_" // the secret of a confidential client: likewise
)

// A secret text is a prefix, 43 random characters of 62 (256.03 bits) and the CRC-32
// of all that in 6 more, most significant first.
//
// Of a refresh token's random characters the first 16 (95.3 bits) name its line: the
// tokens that were given one for the other. Who shows them with any others has seen a
// token of the line. The 27 after them (160.8 bits, see RFC 6749 section 10.10) are its
// own, and nothing about them follows from the tokens before it.
const (
	Alphabet     = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	prefixLength = 5
	lineLength   = 16
	randomLength = 43
	sumLength    = 6
	textLength   = prefixLength + randomLength + sumLength
)

// Hash is all that is ever stored of a secret text: its SHA-256. The text has 256 random
// bits, so that nothing slower is needed, and looking a hash up in an index tells nothing
// about the text by its timing. The zero hash stands for "none".
type Hash struct {
	Text [sha256.Size]byte
	Line [sha256.Size]byte // of the part of a refresh token that names its line; zero for others
}

// IsZero reports whether it is the hash of nothing.
func (h Hash) IsZero() bool { return h == Hash{} }

// HasLine reports whether it is of a refresh token.
func (h Hash) HasLine() bool { return h.Line != [sha256.Size]byte{} }

// Is reports, in constant time, whether what is stored is the SHA-256 of the text.
func (h Hash) Is(stored []byte) bool { return subtle.ConstantTimeCompare(h.Text[:], stored) == 1 }

// Equal reports, in constant time, whether both are of the same text.
func (h Hash) Equal(other Hash) bool { return h.Is(other.Text[:]) }

// Mint returns a new secret text: the text is for its owner, the hash for the store.
func Mint(p Prefix) (text string, h Hash) { return mint(string(p)) }

// Next returns a new refresh token of the line of another, which Parse has taken.
func Next(refresh string) (text string, h Hash) { return mint(refresh[:prefixLength+lineLength]) }

// mint returns a secret text that begins in a given way.
func mint(begin string) (text string, h Hash) {
	b := append(make([]byte, 0, textLength), begin...)
	b = appendRandom(b, prefixLength+randomLength-len(begin))
	b = appendSum(b)
	return string(b), hash(b)
}

// hash returns the hash of a text that has been minted.
func hash(text []byte) Hash {
	h := Hash{Text: sha256.Sum256(text)}
	if Prefix(text[:prefixLength]) == Refresh {
		h.Line = sha256.Sum256(text[:prefixLength+lineLength])
	}
	return h
}

// Parse checks a secret text's form, which needs no database. ok is false unless Mint
// can have made it.
func Parse(text string) (p Prefix, h Hash, ok bool) {
	if len(text) != textLength {
		return "", Hash{}, false
	}
	p = Prefix(text[:prefixLength])
	switch p {
	case Personal, Access, Refresh, Code, Secret:
	default:
		return "", Hash{}, false
	}
	body := textLength - sumLength
	minted := appendSum(append(make([]byte, 0, textLength), text[:body]...))
	if strings.Trim(text[prefixLength:body], Alphabet) != "" || string(minted) != text {
		return "", Hash{}, false
	}
	return p, hash(minted), true
}

// ParseAs is [Parse] for one kind.
func ParseAs(p Prefix, text string) (h Hash, ok bool) {
	found, h, ok := Parse(text)
	if !ok || found != p {
		return Hash{}, false
	}
	return h, true
}

// appendRandom appends n characters of the alphabet, each as likely as the others:
// bytes that would make some of them likelier are thrown away.
func appendRandom(b []byte, n int) []byte {
	const fair = 256 / len(Alphabet) * len(Alphabet)
	var raw [64]byte
	for n > 0 {
		rand.Read(raw[:])
		for _, r := range raw {
			if n > 0 && int(r) < fair {
				b = append(b, Alphabet[int(r)%len(Alphabet)])
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
		digits[sumLength-1-i] = Alphabet[sum%uint32(len(Alphabet))]
		sum /= uint32(len(Alphabet))
	}
	return append(b, digits[:]...)
}
