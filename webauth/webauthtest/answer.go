package webauthtest

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/webauth/wls"
)

// farFromNow is how far FaultStale and FaultFuture are off: beyond any sensible limit.
const farFromNow = time.Hour

// answer finishes, spoils and signs a response: r becomes what is signed. It returns the
// value of WLS-Response, the URL that carries it back to the site, and the fault that
// took effect.
func (w *WLS) answer(r *wls.Response, o Outcome) (value, target string, fault Fault, err error) {
	site := r.URL
	r.Issue, r.ID = w.Now(), wls.NewID()
	if u, ok := w.users.active(r.Principal); ok && r.Ver == 3 {
		r.Ptags = u.Ptags
	}
	applyQuirks(r, o.Quirks, int(w.answers.Add(1)))
	spoil(r, o.Fault)
	if o.Edit != nil {
		o.Edit(r)
	}
	previous := w.journal.previousValue()
	if o.Fault == FaultReplay && previous != "" {
		value = previous
	} else if value, err = w.sign(*r, o); err != nil {
		return "", "", FaultNone, err
	}
	if fault = o.Fault; fault == FaultReplay && previous == "" {
		fault = FaultNone
	}
	target, err = returnURL(site, r.Ver, value, o.Quirks)
	return value, target, fault, err
}

// spoil makes the faults that the signature covers.
func spoil(r *wls.Response, f Fault) {
	switch f {
	case FaultStale:
		r.Issue = r.Issue.Add(-farFromNow)
	case FaultFuture:
		r.Issue = r.Issue.Add(farFromNow)
	case FaultAlteredURL:
		r.URL = elsewhere(r.URL)
	case FaultVersion1:
		r.Ver, r.Ptags = 1, nil
	case FaultVersion2:
		r.Ver, r.Ptags = min(r.Ver, 2), nil
	case FaultWrongParams:
		r.Params += "x"
	}
}

// elsewhere is the same path and query at another host.
func elsewhere(raw string) string {
	u, err := url.Parse(raw)
	if err != nil { // wls.ParseRequest let it through, so it parses
		return "https://other.example/"
	}
	u.Host = "other.example"
	return u.String()
}

// sign makes the faults of the signature and those that come after it.
func (w *WLS) sign(r wls.Response, o Outcome) (string, error) {
	fields := r.Fields()
	kid, key := w.Key()
	switch {
	case o.Fault == FaultUnsigned,
		r.Status != wls.StatusSuccess && slices.Contains(o.Quirks, QuirkUnsignedFailure):
		return fields.Unsigned(), nil
	case o.Fault == FaultWrongKey:
		key = foreignKey()
	case o.Fault == FaultUnknownKid:
		kid = unknownKid
	}
	value, err := fields.Sign(key, kid)
	if err != nil {
		return "", err
	}
	signed := strings.TrimSuffix(fields.Unsigned(), "!!") // what the signature covers
	signature := strings.TrimPrefix(value, signed+"!"+kid+"!")
	switch o.Fault {
	case FaultAlteredPrincipal:
		fields[6] += "x"
		signed = strings.TrimSuffix(fields.Unsigned(), "!!")
	case FaultBadSignature:
		signature = otherLetter(signature[0]) + signature[1:]
	}
	return signed + "!" + kid + "!" + signature, nil
}

// otherLetter is another letter of base64, so that the form stays right.
func otherLetter(b byte) string {
	if b == 'A' {
		return "B"
	}
	return "A"
}
