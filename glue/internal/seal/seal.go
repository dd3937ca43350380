// Package seal makes sealed values: text for cookies and form fields that
// browsers can neither read nor alter.
//
//	codec, err := seal.New("session cookie", secret.Derive("session cookie", origin))
//	value, err := codec.Seal("__Host-session", now.Add(2*time.Hour), data)
//	data, expires, err := codec.Open("__Host-session", value, now)
//
// A value opens only under a key, the purpose and the name that it was sealed
// with, and until it expires. It shows nothing but its length and a hint of which
// key sealed it. No other text opens as the same value, so values may be compared
// as text. Nothing here stops a value from being used twice, or after a logout:
// that is for the caller to see to.
//
// # Format
//
// A value is unpadded base64url (RFC 4648 section 5) of
//
//	version (1 byte: 1)
//	key id (1 byte)
//	nonce (12 bytes, random)
//	AES-256-GCM ciphertext of the expiry (8 bytes: seconds since 1970, big-endian) and the plaintext
//	tag (16 bytes)
//
// The associated data is the version, the purpose after its length as a 64-bit
// big-endian number, and the name. The key id is the first byte of a hash of the
// key, so that the order of the keys does not matter; it only saves tries.
//
// The nonces are random, so one key should seal no more than 2^32 values (NIST
// SP 800-38D, section 8.3). A site that makes a hundred a second gets there in
// sixteen months: rotate the secret before.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// ErrInvalid says that a value was not sealed here, for this purpose and name,
// or was altered since. It does not say which.
var ErrInvalid = errors.New("seal: not a valid sealed value")

// ErrExpired says that a value is genuine but its time is over.
var ErrExpired = errors.New("seal: the sealed value has expired")

// MaxPlaintext is the most that a Codec seals, in bytes: a form of 64 KiB and what is
// kept with it.
const MaxPlaintext = 96 << 10

const (
	version   = 1
	headerLen = 2 // version and key id
	nonceLen  = 12
	expiryLen = 8
	tagLen    = 16
	overhead  = headerLen + nonceLen + expiryLen + tagLen
)

// maxExpiry is the end of the year 9999, the last that a cookie's date can say.
const maxExpiry = 253402300799

var encoding = base64.RawURLEncoding.Strict()

// Codec seals and opens values for one purpose. It may be used by several
// goroutines at once.
type Codec struct {
	keys        []key
	boundPrefix []byte    // start of the associated data
	scratch     sync.Pool // of *[]byte, see borrow
}

type key struct {
	id   byte
	aead cipher.AEAD
}

// New makes a Codec that seals under the first of keys and opens under any of
// them. Each key has 32 bytes. The purpose says what the values are for; those
// of one purpose are invalid for any other, even under the same keys.
func New(purpose string, keys [][]byte) (*Codec, error) {
	if purpose == "" {
		return nil, errors.New("seal: no purpose")
	}
	if len(keys) == 0 {
		return nil, errors.New("seal: no keys")
	}
	prefix := binary.BigEndian.AppendUint64([]byte{version}, uint64(len(purpose)))
	c := &Codec{boundPrefix: append(prefix, purpose...)}
	for i, k := range keys {
		aead, err := newAEAD(k)
		if err != nil {
			return nil, fmt.Errorf("seal: key %d: %v", i+1, err)
		}
		c.keys = append(c.keys, key{id: keyID(k), aead: aead})
	}
	return c, nil
}

func newAEAD(k []byte) (cipher.AEAD, error) {
	if len(k) != 32 {
		return nil, fmt.Errorf("%d bytes long, not 32", len(k))
	}
	block, err := aes.NewCipher(k)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// keyID is a hint in the open, so it must not help to find the key: it is a
// byte of a hash, of a key with 256 bits.
func keyID(k []byte) byte {
	h := sha256.New()
	h.Write([]byte("go-webauth seal key id\x00"))
	h.Write(k)
	return h.Sum(nil)[0]
}

// Seal returns plaintext as a sealed value that opens under the same name until
// expires. The expiry is kept in whole seconds, rounded down; one before 1970
// (such as the zero time) or after the year 9999 is an error, as is a plaintext
// over MaxPlaintext.
func (c *Codec) Seal(name string, expires time.Time, plaintext []byte) (string, error) {
	if len(plaintext) > MaxPlaintext {
		return "", fmt.Errorf("seal: %d bytes are more than the maximum of %d", len(plaintext), MaxPlaintext)
	}
	expiry := expires.Unix()
	if expiry < 0 || expiry > maxExpiry {
		return "", fmt.Errorf("seal: expiry %v is not between 1970 and 9999", expires)
	}
	k := c.keys[0]
	value := append(make([]byte, 0, overhead+len(plaintext)), version, k.id)
	value = binary.BigEndian.AppendUint64(value, uint64(expiry))
	value = append(value, plaintext...)
	bound := slices.Concat(c.boundPrefix, []byte(name))
	value = k.aead.Seal(value[:headerLen], nil, value[headerLen:], bound)
	return encoding.EncodeToString(value), nil
}

// Open returns what was sealed in value, and when it expires. The error is
// ErrInvalid, with nothing else, unless the value was sealed under that name,
// this purpose and one of the keys. It is ErrExpired if that is so but now is
// at or after the expiry; the plaintext is returned then too, only to tell whose
// it was, never to act upon.
func (c *Codec) Open(name, value string, now time.Time) (plaintext string, expires time.Time, err error) {
	size := encoding.DecodedLen(len(value))
	if size < overhead || size > overhead+MaxPlaintext {
		return "", time.Time{}, ErrInvalid
	}
	// One buffer for the decoded value, the associated data and the payload. The
	// payload does not overwrite the ciphertext, which a second key may need.
	buf := c.borrow(2*size + len(c.boundPrefix) + len(name))
	defer c.giveBack(buf)
	payload, ok := c.decrypt((*buf)[:size], name, value)
	if !ok {
		return "", time.Time{}, ErrInvalid
	}
	expires = time.Unix(int64(binary.BigEndian.Uint64(payload)), 0).UTC()
	if !now.Before(expires) {
		err = ErrExpired
	}
	return string(payload[expiryLen:]), expires, err
}

// decrypt returns the expiry and the plaintext. buf is as long as the decoded value, and
// has room for all else.
func (c *Codec) decrypt(buf []byte, name, value string) (payload []byte, ok bool) {
	// The decoder skips line breaks, so that many texts would be one value.
	if strings.IndexByte(value, '\r') >= 0 || strings.IndexByte(value, '\n') >= 0 {
		return nil, false
	}
	size := len(buf)
	if n, err := encoding.Decode(buf, []byte(value)); err != nil || n != size {
		return nil, false
	}
	buf = append(append(buf, c.boundPrefix...), name...)
	sealed, bound, free := buf[:size], buf[size:], buf[len(buf):]
	if sealed[0] != version {
		return nil, false
	}
	for _, k := range c.keys {
		if k.id != sealed[1] {
			continue
		}
		if payload, err := k.aead.Open(free, nil, sealed[headerLen:], bound); err == nil {
			return payload, true
		}
	}
	return nil, false
}

// maxScratch is the largest buffer that is kept, in bytes: enough for the value of a
// cookie.
const maxScratch = 8 << 10

// borrow returns a buffer of n bytes for giveBack to take again. Nothing that was in one
// is seen by anybody else: plaintexts leave it as strings, and then it is cleared.
func (c *Codec) borrow(n int) *[]byte {
	buf, _ := c.scratch.Get().(*[]byte)
	if buf == nil || cap(*buf) < n {
		return new(make([]byte, n))
	}
	*buf = (*buf)[:n]
	return buf
}

func (c *Codec) giveBack(buf *[]byte) {
	clear(*buf)
	if cap(*buf) <= maxScratch {
		c.scratch.Put(buf)
	}
}
