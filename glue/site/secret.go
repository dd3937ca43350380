package site

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
)

// keyLength is the length of every derived key, in bytes: what AES-256 and
// HMAC-SHA256 want.
const keyLength = 32

// deriveLabel starts the HKDF info of every key, so that a later scheme gets
// other keys from the same secret.
const deriveLabel = "go-webauth site.Secret v1"

// redacted stands for a secret wherever one is printed, logged or encoded.
const redacted = "[redacted site secret]"

// Secret is the secret of a site: one or more lines, of which the first seals
// and all open. It is made by [LoadSecret] or [ParseSecret]; the zero Secret
// derives no keys. A Secret cannot be changed and may be used by several
// goroutines at once. It never shows its content: printed, logged or encoded
// it is a fixed text.
type Secret struct {
	// A function, because fmt calls no methods on unexported fields: what holds
	// a Secret in one would print its lines, behind a pointer too (with %s), but
	// of a function only the address.
	lines func() []string
}

func newSecret(lines []string) *Secret {
	return &Secret{func() []string { return lines }}
}

// ParseSecret returns the Secret in text, which has the form and must pass the rules of a
// secret file (see [LoadSecret]). It is for sites that get their secret from elsewhere, such as
// an environment variable or a secret manager. An error names the line that is at fault, never
// its content.
func ParseSecret(text string) (*Secret, error) {
	lines, err := parseLines(text)
	if err != nil {
		return nil, fmt.Errorf("site: secret: %v", err)
	}
	return newSecret(lines), nil
}

// Derive returns one 32-byte key for each line of the secret, in their order:
// seal with the first, try all of them to open. Different lists of purpose and
// context give unrelated keys, and none of them reveals anything about the
// secret. Say in purpose what the keys are for, in words that no other use has,
// and in context what else they must not be shared between, such as services
// and origins.
//
// A key is HKDF-SHA256 (RFC 5869) of the line's text without salt. Its info is
// "go-webauth site.Secret v1", then purpose and every context, each of them
// after its length in bytes as a 64-bit big-endian number.
func (s *Secret) Derive(purpose string, context ...string) [][]byte {
	if s.lines == nil {
		return nil
	}
	lines := s.lines()
	info := appendPart([]byte(deriveLabel), purpose)
	for _, part := range context {
		info = appendPart(info, part)
	}
	keys := make([][]byte, len(lines))
	for i, line := range lines {
		key, err := hkdf.Key(sha256.New, []byte(line), nil, string(info), keyLength)
		if err != nil {
			// Only for keys of more than 8 KiB, and in FIPS-only mode for
			// secrets of less than 112 bits, which parseLines refuses.
			panic("site: deriving a key: " + err.Error())
		}
		keys[i] = key
	}
	return keys
}

func appendPart(info []byte, part string) []byte {
	info = binary.BigEndian.AppendUint64(info, uint64(len(part)))
	return append(info, part...)
}

// The methods below have value receivers so that a copied Secret is as silent
// as a *Secret.

// String returns a fixed text that reveals nothing of the secret.
func (s Secret) String() string { return redacted }

// GoString returns the same fixed text as String.
func (s Secret) GoString() string { return redacted }

// Format writes the same fixed text as String, whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText returns the same fixed text as String. It serves encoding/json,
// encoding/xml and their like; what they wrote cannot be read back.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue returns, to log/slog, the same fixed text as String.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }
