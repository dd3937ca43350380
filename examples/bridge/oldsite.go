package main

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/examples/internal/demo"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// oldSite does by hand what the scripts of old sites do, and no more: it sends whoever brings no
// response to log in, and believes a response that is signed, new and for its own address. Not
// to be copied: it remembers nobody, and would take the same response twice.
type oldSite struct {
	url, login string
	keys       webauth.KeySource
	now        func() time.Time
	pages      *site.Site // which only shows them
}

func (s *oldSite) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	response := r.URL.Query().Get("WLS-Response")
	if response == "" {
		http.Redirect(w, r, s.login+"?"+url.Values{"ver": {"1"}, "url": {s.url}, "desc": {"the old site"}}.Encode(), http.StatusFound)
		return
	}
	principal, err := s.verify(response)
	if err != nil {
		demo.Tell(s.pages, w, r, site.Page{Kind: "failed", Status: http.StatusForbidden, Title: "The login failed",
			Text: []string{"The old site says: " + err.Error() + "."}})
		return
	}
	greet(s.pages, w, r, "old", principal)
}

// fromSignature makes usual base64 of that of the protocol.
var fromSignature = strings.NewReplacer("-", "+", ".", "/", "_", "=")

// verify returns who a response of version 1 or 2 names.
func (s *oldSite) verify(response string) (principal string, err error) {
	fields := strings.Split(response, "!")
	if len(fields) != 13 || fields[0] != "1" {
		return "", errors.New("the response is malformed")
	}
	if fields[1] != "200" {
		return "", errors.New("the login service lets nobody in")
	}
	key, known := s.keys.Lookup(fields[11])
	sig, err := base64.StdEncoding.DecodeString(fromSignature.Replace(fields[12]))
	digest := sha1.Sum([]byte(strings.Join(fields[:11], "!")))
	if !known || err != nil || rsa.VerifyPKCS1v15(key.Public(), crypto.SHA1, digest[:], sig) != nil {
		return "", errors.New("the signature is not the login service's")
	}
	now := time.Now
	if s.now != nil {
		now = s.now
	}
	issue, err := time.Parse("20060102T150405Z", fields[3])
	if age := now().Sub(issue); err != nil || age < -time.Minute || age > time.Minute {
		return "", errors.New("the response is not new")
	}
	if fields[5] != s.url {
		return "", errors.New("the response is for another site")
	}
	return fields[6], nil
}
