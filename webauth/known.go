package webauth

import (
	"errors"
	"fmt"
	"strings"

	"github.com/ucam-webauth/go-webauth/keys"
)

// What is known of the services that this package names, for those who configure a site: see
// the Check methods below. A service is told by its AuthURL; of any other nothing is known but
// what the protocol says.
var (
	ravenURL     = Raven().AuthURL
	ravenDemoURL = RavenDemo().AuthURL
	nevarURL     = Nevar(nil).AuthURL
	gooseURL     = Goose(nil).AuthURL
)

// CheckPrincipal returns an error if the service never reports a person by that name, so that a
// policy that names it lets nobody in: Raven and SRCF Nevar report CRSids, which are small
// letters and digits, SRCF Goose the names of its accounts. It does not say whether the person
// exists.
func (s Service) CheckPrincipal(principal string) error {
	var why string
	switch {
	case !IsName(principal):
		why = "a principal is 1 to 255 printable ASCII characters without blanks"
	case s.sendsCRSids() && strings.Trim(principal, lowerAndDigits) != "":
		why = s.Name + " reports CRSids, which are small letters and digits"
	case s.AuthURL == gooseURL && strings.ContainsAny(principal, "ABCDEFGHIJKLMNOPQRSTUVWXYZ@"):
		why = s.Name + " reports names of accounts, in small letters and without a domain"
	default:
		return nil
	}
	if meant := plainPrincipal(principal); meant != principal && meant != "" {
		return fmt.Errorf("%q lets nobody in: %s: write %q", principal, why, meant)
	}
	return fmt.Errorf("%q lets nobody in: %s", principal, why)
}

const lowerAndDigits = "abcdefghijklmnopqrstuvwxyz0123456789"

func (s Service) sendsCRSids() bool {
	return s.AuthURL == ravenURL || s.AuthURL == ravenDemoURL || s.AuthURL == nevarURL
}

// plainPrincipal returns what somebody meant who wrote a name in capitals, with blanks around
// it or with a domain behind it.
func plainPrincipal(principal string) string {
	name, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(principal)), "@")
	return name
}

// CheckPtag returns an error if the service is not known to send a ptag: of Raven and SRCF Nevar
// only "current" is. It may begin to send others.
func (s Service) CheckPtag(ptag string) error {
	if !s.sendsCRSids() || strings.EqualFold(ptag, currentPtag) {
		return nil
	}
	return fmt.Errorf("%q is not known of %s, which sends %q for present staff and students", ptag, s.Name, currentPtag)
}

const currentPtag = "current"

// CheckOrigin returns an error if the service sends nobody back to a site at an origin, which is
// in the form of [Origin]: SRCF Nevar refuses http, but for http://localhost without a port.
func (s Service) CheckOrigin(origin string) error {
	if s.AuthURL != nevarURL || strings.HasPrefix(origin, "https:") || origin == "http://localhost" {
		return nil
	}
	return fmt.Errorf("%s refuses sites that are not https, so nobody can log in at %s; only http://localhost without a port is let through", s.Name, origin)
}

// CheckKeys returns an error, of one line for each, about keys that are known to be another
// service's: whoever that one logs in could log in here, under the name that it gives.
func (s Service) CheckKeys() error {
	if !s.hasKeys() {
		return nil
	}
	all := s.Keys.Keys()
	var errs []error
	for _, k := range all {
		if owner := ownerOf(k); owner.AuthURL != "" && owner.AuthURL != s.AuthURL && (s.isKnown() || len(all) > 1) {
			errs = append(errs, fmt.Errorf("key %s is that of %s: whoever %s logs in could log in here by that name, so take the key away", k.Kid(), owner.Name, owner.Name))
		}
	}
	return errors.Join(errs...)
}

func (s Service) isKnown() bool { return s.sendsCRSids() || s.AuthURL == gooseURL }

// ownerOf returns the service whose key it is known to be; the zero Service where that is not
// known, and for the keys that anybody has.
func ownerOf(k keys.Key) Service {
	for _, known := range keys.Known() {
		if known.Published || known.Fingerprints.SPKI != k.Fingerprints().SPKI {
			continue
		}
		for _, s := range []Service{Raven(), Nevar(nil)} {
			if s.Name == known.Name {
				return s
			}
		}
	}
	return Service{}
}
