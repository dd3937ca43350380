package wls

import (
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/keys"
)

// Response is an authentication response to be sent (WAA2WLS, "Authentication
// response"). kid and sig come with Sign.
type Response struct {
	// Ver is the version, 1 to 3: never greater than the request's, and 1 with
	// StatusVersion.
	Ver int
	// Status is one of the Status constants or another three-digit code, which sites
	// take for a failure.
	Status int
	// Msg is for the person: printable ASCII.
	Msg string
	// Issue is when the response is made. Fractions of a second are cut off.
	Issue time.Time
	// ID is unique together with Issue and cannot be guessed; see NewID.
	ID string
	// URL is the request's url, whole, also in version 1.
	URL string
	// Principal is who has authenticated. Required on success, as are Auth or SSO;
	// like Ptags, Auth, SSO and Life it must be empty otherwise.
	Principal string
	// Ptags are attributes of the principal; version 3 only.
	Ptags []string
	// Auth is the authentication type just used.
	Auth string
	// SSO lists types used earlier in the same session of the service.
	SSO []string
	// Life is how many seconds are left of that session; nil says nothing.
	Life *int
	// Params is the request's params.
	Params string
}

// NewID returns a new id in the form of current services: 24 random characters (120 bits).
func NewID() string { return rand.Text()[:24] }

// Sign checks that the response follows the protocol and returns the signed value of
// WLS-Response, before any encoding for a query. kid names the key: 1 to 8 digits
// without a leading zero.
func (r Response) Sign(key *rsa.PrivateKey, kid string) (string, error) {
	if err := r.Check(); err != nil {
		return "", err
	}
	if !keys.ValidKid(kid) {
		return "", fmt.Errorf("wls: kid %q is not 1 to 8 digits without a leading zero", kid)
	}
	return r.Fields().Sign(key, kid)
}

// Unsigned checks that the response follows the protocol and returns its value without
// kid and sig. A success must be signed, so that it is an error here.
func (r Response) Unsigned() (string, error) {
	if err := r.Check(); err != nil {
		return "", err
	}
	if r.Status == StatusSuccess {
		return "", errors.New("wls: a success must be signed")
	}
	return r.Fields().Unsigned(), nil
}

// Check returns an error if the response breaks the protocol.
func (r Response) Check() error {
	switch {
	case r.Ver < 1 || r.Ver > 3:
		return fmt.Errorf("wls: response version %d: want 1 to 3", r.Ver)
	case r.Status < 100 || r.Status > 999:
		return fmt.Errorf("wls: response status %d: want three digits", r.Status)
	case r.Status == StatusVersion && r.Ver != 1:
		return errors.New("wls: status 520 is answered in version 1")
	case r.Issue.IsZero() || r.Issue.UTC().Year() > 9999 || r.Issue.UTC().Year() < 0:
		return errors.New("wls: response without a time of issue between the years 0 and 9999")
	case !isName(r.ID):
		return errors.New("wls: response id is empty or not printable ASCII without blanks")
	case !isPrintable(r.Msg):
		return errors.New("wls: response msg is not printable ASCII")
	case hasControl(r.Params):
		return errors.New("wls: response params hold a control character")
	}
	if err := checkURL(r.URL); err != nil {
		return fmt.Errorf("wls: response url %v", err)
	}
	if r.Status == StatusSuccess {
		return r.checkSuccess()
	}
	if r.Principal != "" || len(r.Ptags) > 0 || r.Auth != "" || len(r.SSO) > 0 || r.Life != nil {
		return errors.New("wls: principal, ptags, auth, sso and life must be empty on a failure")
	}
	return nil
}

func (r Response) checkSuccess() error {
	switch {
	case !isName(r.Principal):
		return errors.New("wls: a success needs a principal, printable ASCII without blanks")
	case r.Auth == "" && len(r.SSO) == 0:
		return errors.New("wls: a success needs auth or sso")
	case r.Auth != "" && !isToken(r.Auth):
		return fmt.Errorf("wls: auth %q is not one authentication type", r.Auth)
	case r.Ver < 3 && len(r.Ptags) > 0:
		return fmt.Errorf("wls: version %d has no ptags", r.Ver)
	}
	for _, list := range [][]string{r.Ptags, r.SSO} {
		for _, token := range list {
			if !isToken(token) {
				return fmt.Errorf("wls: %q cannot stand in a list", token)
			}
		}
	}
	return nil
}

// Fields returns the response's fields without checking them; versions other than 3
// have no ptags.
func (r Response) Fields() Fields {
	life := ""
	if r.Life != nil {
		life = strconv.Itoa(*r.Life)
	}
	f := Fields{strconv.Itoa(r.Ver), strconv.Itoa(r.Status), r.Msg, r.Issue.UTC().Format(timeLayout), r.ID, r.URL, r.Principal}
	if r.Ver == 3 {
		f = append(f, strings.Join(r.Ptags, ","))
	}
	return append(f, r.Auth, strings.Join(r.SSO, ","), life, r.Params)
}

// isToken reports whether s can be an entry of a list joined by commas.
func isToken(s string) bool { return isName(s) && !strings.Contains(s, ",") }
