package webauth

import "time"

// fields are the decoded fields of a response. Its methods are those that a response has
// verified or not; who it is about is for verified ones alone.
type fields struct {
	ver, status        int
	msg                string
	issue              time.Time
	id, url, principal string
	addr               address // url, taken apart
	ptags              []string
	auth               string
	sso                []string
	life               *int
	params, kid        string
}

// Version returns 1, 2 or 3. It is 3 in a [Response], unless [VerifierConfig.Versions]
// has others.
func (f *fields) Version() int { return f.ver }

// Msg returns the text for the person.
func (f *fields) Msg() string { return f.msg }

// Issue returns when the response was made, to the second, in UTC.
func (f *fields) Issue() time.Time { return f.issue }

// ID returns the response's identifier, unique together with Issue.
func (f *fields) ID() string { return f.id }

// URL returns the url that the request asked to come back to.
func (f *fields) URL() string { return f.url }

// Life returns what is left of the session at the WLS, and whether the response says so.
// It may be zero or negative.
func (f *fields) Life() (time.Duration, bool) {
	if f.life == nil {
		return 0, false
	}
	return time.Duration(*f.life) * time.Second, true
}

// Params returns the request's params as they came back.
func (f *fields) Params() string { return f.params }

// Kid returns the id of the key that signed; empty where the response is not signed.
func (f *fields) Kid() string { return f.kid }
