package webauth

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Interact says whether the WLS may or must interact with the person (parameter iact).
type Interact string

// The values of iact.
const (
	IActAsNeeded Interact = ""    // the WLS asks only if it must
	IActYes      Interact = "yes" // the person must authenticate now
	IActNo       Interact = "no"  // succeed without any interaction, or not at all
)

// maxLoginURL bounds the whole URL: services and old browsers cut longer ones.
const maxLoginURL = 2048

// ErrTooLong is the error of a login URL that would be longer than 2 KiB. Nothing else is
// wrong with the request.
var ErrTooLong = errors.New("webauth: the login URL is too long")

// timeLayout is the protocol's form of a time, always in UTC.
const timeLayout = "20060102T150405Z"

// Request is an authentication request (WAA2WLS, "Authentication request"). Zero
// fields are left out of the message.
type Request struct {
	// URL is where the WLS sends the person back to: absolute, http or https, without
	// userinfo, fragment or a response ([StripResponse] removes one), and in the form in
	// which browsers request it, that of [CanonicalURL]. Required.
	URL string
	// Desc says what is asking, Msg why; both plain Unicode text without control
	// characters, shown by the WLS to the person.
	Desc, Msg string
	// AAuth lists the acceptable authentication types, at most 8. Nil accepts "pwd"
	// and is not sent; an empty list that is not nil is an error, because it would
	// accept none.
	AAuth []string
	// IAct says whether the person must, may or must not be asked.
	IAct Interact
	// Fresh is how long ago the person may have typed their password, for services that can be
	// told; Ucam-WebAuth has IAct only, and does not send it. Zero is any time.
	Fresh time.Duration
	// Params comes back unaltered in the response. It is not secret. RequestSigner.Sign
	// fills it.
	Params string
	// Date is the site's time, sent so that operators can see skew; zero means now.
	Date time.Time
	// Note lets the site distinguish its own requests: 1 to 32 of A-Z, a-z, 0-9, '-' and
	// '_'. [RequestSigner.Sign] puts it into the token, under the MAC, and [Token.Note]
	// returns it; the service, and readers of logs, can read it. It is not sent without a
	// token. Empty is none.
	Note string
	// Fail asks the WLS to show its own page on any failure and not to come back.
	Fail bool
}

// LoginURL returns the URL, with a request of version 3, that sends a browser to the
// service to log in. It is an error if a field does not follow the protocol, or
// [ErrTooLong] if the whole is longer than 2 KiB.
func (s Service) LoginURL(r Request) (string, error) {
	if err := checkServiceURL(s.AuthURL); err != nil {
		return "", fmt.Errorf("webauth: AuthURL of service %q: %v", s.Name, err)
	}
	addr, err := r.check()
	if err != nil {
		return "", err
	}
	// Otherwise browsers would bring the response to another page than the one that the
	// URL names.
	if err := addr.checkCanonical(); err != nil {
		return "", fmt.Errorf("webauth: Request.URL: %v", err)
	}
	desc, err := encodeText(r.Desc)
	if err != nil {
		return "", fmt.Errorf("webauth: Request.Desc: %v", err)
	}
	msg, err := encodeText(r.Msg)
	if err != nil {
		return "", fmt.Errorf("webauth: Request.Msg: %v", err)
	}
	date := r.Date
	if date.IsZero() {
		date = time.Now()
	}
	fail := ""
	if r.Fail {
		fail = "yes"
	}
	var b strings.Builder
	b.WriteString(s.AuthURL + "?ver=3")
	for _, p := range [][2]string{
		{"url", r.URL}, {"desc", desc}, {"aauth", strings.Join(r.AAuth, ",")}, {"iact", string(r.IAct)},
		{"msg", msg}, {"params", r.Params}, {"date", date.UTC().Format(timeLayout)}, {"fail", fail},
	} {
		if p[1] != "" {
			b.WriteString("&" + p[0] + "=" + url.QueryEscape(p[1]))
		}
	}
	if b.Len() > maxLoginURL {
		return "", fmt.Errorf("%w: it would be %d bytes, the limit is %d: shorten %s", ErrTooLong, b.Len(), maxLoginURL, r.longest())
	}
	return b.String(), nil
}

// check returns the URL taken apart, or what does not follow the protocol.
func (r Request) check() (address, error) {
	addr, err := parseAddress(r.URL)
	if err != nil {
		return address{}, fmt.Errorf("webauth: Request.URL: %v", err)
	}
	if strings.Contains(unescapeLoosely(r.URL), ResponseParam) {
		// The service would add a second one, and a request with two is refused before
		// the good one is marked as used. Behind a ';' counts: some services split there.
		return address{}, errors.New("webauth: Request.URL holds a " + ResponseParam + ": take it out with StripResponse")
	}
	if err := checkStrength(r.IAct, r.AAuth); err != nil {
		return address{}, fmt.Errorf("webauth: Request.%v", err)
	}
	if y := r.Date.UTC().Year(); y < 0 || y > 9999 {
		return address{}, errors.New("webauth: Request.Date: the protocol's years have four digits")
	}
	if r.Note != "" && !isNote(r.Note) {
		return address{}, fmt.Errorf("webauth: Request.Note: %q: use 1 to 32 of A-Z, a-z, 0-9, '-' and '_'", r.Note)
	}
	for i := range len(r.Params) {
		if c := r.Params[i]; c < ' ' || c > '~' {
			return address{}, errors.New("webauth: Request.Params: only printable ASCII survives the journey")
		}
	}
	return addr, nil
}

func (r Request) longest() string {
	name, n := "URL", len(r.URL)
	for _, f := range [][2]string{{"Desc", r.Desc}, {"Msg", r.Msg}, {"Params", r.Params}} {
		if len(f[1]) > n {
			name, n = f[0], len(f[1])
		}
	}
	return name
}

// encodeText returns text in the alphabet of desc and msg: printable ASCII, anything
// else as an HTML numeric character reference. The WLS escapes < and > itself but
// not &, so & must be a reference too (WAA2WLS, "Authentication request").
func encodeText(s string) (string, error) {
	if !utf8.ValidString(s) {
		return "", errors.New("not valid UTF-8")
	}
	var b strings.Builder
	for _, c := range s {
		switch {
		case unicode.IsControl(c):
			return "", fmt.Errorf("control character %U is not allowed", c)
		case c == '&' || c > '~':
			b.WriteString("&#" + strconv.Itoa(int(c)) + ";")
		default:
			b.WriteRune(c)
		}
	}
	return b.String(), nil
}

// shortName is the form of an authentication type, and of a note.
var shortName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`)

func isNote(s string) bool { return shortName.MatchString(s) }

// checkStrength checks an iact and an aauth as configured.
func checkStrength(iact Interact, aauth []string) error {
	switch iact {
	case IActAsNeeded, IActYes, IActNo:
	default:
		return fmt.Errorf(`IAct: %q is none of "", "yes", "no"`, string(iact))
	}
	if aauth != nil && len(aauth) == 0 {
		return errors.New("AAuth: an empty list accepts no authentication type; leave it nil for the default")
	}
	if len(aauth) > 8 {
		return errors.New("AAuth: at most 8 types")
	}
	for _, a := range aauth {
		if !shortName.MatchString(a) {
			return fmt.Errorf("AAuth: %q: a type is 1 to 32 of A-Z, a-z, 0-9, '_' and '-'", a)
		}
	}
	return nil
}
