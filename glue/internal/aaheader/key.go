package aaheader

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // mod_ucam_webauth's choice; a MAC, where SHA-1 still holds
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue/internal/secretfile"
)

const (
	// maxFile is how much of a key's file counts, in bytes: Apache's module reads no more.
	maxFile = 64
	// enough is how long a key is that nobody finds by trying all, in bytes.
	enough = 16
	// none is what switches signing off in Apache, in any case of letters.
	none = "none"
)

// Key is that of AAHeaderKey.
type Key struct{ text string }

// Oddity is something to know about a key.
type Oddity struct {
	Weak bool   // it weakens what the key is for; else only the other side may read it otherwise
	Text string // goes on from the name of the key, or of its file
}

// FromText returns the key that is written as AAHeaderKey "text" in Apache: all of it counts.
func FromText(text string) (Key, []Oddity, error) {
	switch {
	case strings.TrimSpace(text) == "":
		return Key{}, nil, errors.New("holds no key: make one with: openssl rand -base64 33")
	case strings.EqualFold(text, none):
		return Key{}, nil, fmt.Errorf("holds %q, which switches signing off in Apache: give no key to have none", none)
	}
	var odd []Oddity
	if len(text) < enough {
		odd = append(odd, Oddity{true, fmt.Sprintf("has %d bytes only: whoever has seen one signed value can find the key by trying; "+
			"give both sides one that openssl rand -base64 33 makes", len(text))})
	}
	return Key{text}, odd, nil
}

// FromFile returns the key of AAHeaderKey "file:...", as Apache's module reads it of what the
// file holds: the first 64 bytes, a newline at the end included, with '@' for each NUL.
func FromFile(content []byte) (Key, []Oddity, error) {
	used := content[:min(len(content), maxFile)]
	text := strings.ReplaceAll(string(used), "\x00", "@")
	key, odd, err := FromText(text)
	if err != nil {
		return Key{}, nil, err
	}
	if len(content) > maxFile {
		odd = append(odd, Oddity{false, fmt.Sprintf("is longer than %d bytes: the rest does not count, as in Apache", maxFile)})
	}
	if n := bytes.Count(used, []byte{0}); n > 0 {
		odd = append(odd, Oddity{false, fmt.Sprintf("has %d NUL bytes, each of which counts as '@', as in Apache", n)})
	}
	if used[len(used)-1] == '\n' {
		odd = append(odd, Oddity{false, "ends with a newline, which is a part of the key, as with \"file:\" in Apache; " +
			"where the other side has the key without it, write it with: printf %s KEY > FILE"})
	}
	return key, odd, nil
}

// maxRead bounds a key's file, in bytes.
const maxRead = 64 << 10

// ReadFile is FromFile of a file, which must be kept as secret as [secretfile.Read] has it. Its errors
// begin with the file's name.
func ReadFile(path string) (Key, []Oddity, error) {
	file, err := secretfile.Read(path, maxRead)
	if err != nil {
		return Key{}, nil, fmt.Errorf("%s: %w", path, err)
	}
	key, odd, err := FromFile(file.Text)
	if err != nil {
		return Key{}, nil, fmt.Errorf("%s %w", path, err)
	}
	if file.Warning != "" {
		odd = append(odd, Oddity{true, file.Warning})
	}
	return key, odd, nil
}

// signatureLen is how many characters a signature has.
const signatureLen = (sha1.Size + 2) / 3 * 4 // base64 with padding

// IsSet reports whether there is a key.
func (k Key) IsSet() bool { return k.text != "" }

// Signed returns a value with its signature: base64 of HMAC-SHA1 over the value and, after it,
// the key, then a blank and the value. It covers neither the header's name nor a time.
func (k Key) Signed(value string) string { return k.mac(value) + " " + value }

func (k Key) mac(value string) string {
	h := hmac.New(sha1.New, []byte(k.text))
	h.Write([]byte(value + k.text))
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// Errors of Open.
var (
	ErrUnsigned  = errors.New("it is not signed")
	ErrSignature = errors.New("its signature is wrong")
)

// Open returns the value inside of a signed one.
func (k Key) Open(signed string) (string, error) {
	mac, value, found := strings.Cut(signed, " ")
	// The blank after the signature of an empty value is lost on the way: a header's value
	// ends with none (RFC 9110 section 5.5).
	if len(mac) != signatureLen || found && value == "" {
		return "", ErrUnsigned
	}
	// The text that a signature must be is compared, so that no other base64 is taken for it.
	if !hmac.Equal([]byte(mac), []byte(k.mac(value))) {
		return "", ErrSignature
	}
	return value, nil
}
