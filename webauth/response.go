package webauth

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"github.com/ucam-webauth/go-webauth/keys"
)

// Unverified is a response (WAA2WLS, "Authentication response") of the right shape whose
// signature has not been checked: all that it says is a claim. It has no method that returns a
// principal; the [Response] that [Verifier.Verify] returns has.
type Unverified struct {
	fields
	value  string // the whole, as received after form decoding
	signed string // what the signature covers; a prefix of value
	sig    []byte
}

// Positions of the fields; versions 1 and 2 have no ptags.
const (
	fieldsV12 = 13
	fieldsV3  = 14
	ptagsAt   = 7
)

// sigEncoding is base64 with the protocol's URL-safe replacements of + / and =.
var sigEncoding = base64.NewEncoding("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.").WithPadding('_').Strict()

// ParseResponse parses the value of WLS-Response (after form decoding, see
// [ResponseFrom]). It accepts versions 1 to 3 in their one canonical form, at most
// 8 KiB of printable ASCII; anything else is an [*Error] with [ReasonMalformed], or with
// [ReasonVersion] for an undefined version number.
func ParseResponse(value string) (*Unverified, error) {
	u, err := parseResponse(value)
	if err != nil { // not a typed nil
		return nil, err
	}
	return u, nil
}

func parseResponse(value string) (*Unverified, *Error) {
	if len(value) > maxResponse {
		return nil, malformed("longer than %d bytes", maxResponse)
	}
	for i := range len(value) {
		if c := value[i]; c < ' ' || c > '~' {
			return nil, malformed("byte %#02x at position %d is not printable ASCII", c, i)
		}
	}
	raw, n := splitFields(value)
	want := fieldsV12
	switch ver := raw[0]; {
	case !isNumber(ver, 3):
		return nil, malformed("ver is not a version number")
	case ver == "3":
		want = fieldsV3
	case ver != "1" && ver != "2":
		return nil, refuse(ReasonVersion, "version %s is not defined", ver)
	}
	if n != want {
		return nil, malformed("not the %d fields that version %s has", want, raw[0])
	}
	if want == fieldsV12 {
		copy(raw[ptagsAt+1:], raw[ptagsAt:])
		raw[ptagsAt] = ""
	}
	for i := range raw {
		var ok bool
		if raw[i], ok = unescapeField(raw[i]); !ok {
			return nil, malformed("field %d holds an escape that is neither %%21 nor %%25", i+1)
		}
	}
	u := &Unverified{value: value}
	if err := u.read(&raw); err != nil {
		return nil, err
	}
	return u, nil
}

// read checks each field's form and the combination of fields. The raw fields are
// unescaped; ptags is empty where the version has none.
func (u *Unverified) read(raw *[fieldsV3]string) *Error {
	f := &u.fields
	f.ver = int(raw[0][0] - '0')
	if len(raw[1]) != 3 || !isNumber(raw[1], 3) {
		return malformed("status is not a three-digit number")
	}
	f.status, _ = strconv.Atoi(raw[1])
	f.msg, f.id, f.url, f.principal = raw[2], raw[4], raw[5], raw[6]
	f.auth, f.params, f.kid = raw[8], raw[11], raw[12]
	var ok bool
	if f.issue, ok = parseTime(raw[3]); !ok {
		return malformed("issue is not of the form YYYYMMDDThhmmssZ")
	}
	if f.id == "" {
		return malformed("id is empty")
	}
	var err error
	if f.addr, err = parseAddress(f.url); err != nil {
		return malformed("url: %v", err)
	}
	if f.auth != "" && (!IsName(f.auth) || strings.Contains(f.auth, ",")) {
		return malformed("auth is not one authentication type")
	}
	if f.ptags, ok = splitList(raw[ptagsAt]); !ok {
		return malformed("ptags is not a comma-separated list")
	}
	if f.sso, ok = splitList(raw[9]); !ok {
		return malformed("sso is not a comma-separated list")
	}
	if f.life, ok = parseLife(raw[10]); !ok {
		return malformed("life is not a number of seconds")
	}
	if e := f.checkCombination(); e != nil {
		return e
	}
	return u.readSignature(raw[13])
}

func (f *fields) checkCombination() *Error {
	if f.status == 200 {
		switch {
		case !IsName(f.principal):
			return malformed("a success whose principal is empty, too long or holds blanks")
		case f.auth == "" && len(f.sso) == 0:
			return malformed("a success with neither auth nor sso")
		}
		return nil
	}
	if f.principal != "" || len(f.ptags) > 0 || f.auth != "" || len(f.sso) > 0 || f.life != nil {
		return malformed("a failure that names a principal, ptags, auth, sso or life")
	}
	return nil
}

func (u *Unverified) readSignature(sig string) *Error {
	kid := u.kid
	switch {
	case kid == "" && sig == "":
		return nil
	case kid == "" || sig == "":
		return malformed("kid and sig come both or neither")
	case !keys.ValidKid(kid):
		return malformed("kid is not 1 to 8 digits without a leading zero")
	}
	var err error
	if u.sig, err = sigEncoding.DecodeString(sig); err != nil {
		return malformed("sig is not base64 in the protocol's alphabet")
	}
	// Neither alphabet has anything to escape: both are as long as in the value.
	u.signed = u.value[:len(u.value)-len(kid)-len(sig)-len("!!")]
	return nil
}

// Status returns the three-digit status; 200 claims success.
func (u *Unverified) Status() int { return u.status }

// Signed reports whether there is a signature, right or wrong.
func (u *Unverified) Signed() bool { return u.sig != nil }

// String names the response without repeating it: a fresh one lets its reader in.
func (u *Unverified) String() string {
	return fmt.Sprintf("WLS-Response(version %d, status %d)", u.ver, u.status)
}

// GoString is String.
func (u *Unverified) GoString() string { return u.String() }
