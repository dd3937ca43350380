package gateway

import (
	"time"

	"github.com/ucam-webauth/go-webauth/glue/site"
)

// site returns what package site is told of headers.
func (h *Headers) site() site.Headers {
	return site.Headers{
		HSTS: site.HSTS{MaxAge: time.Duration(h.HSTS), IncludeSubDomains: h.HSTSSubDomains && h.HSTS != 0},
		CSP:  orOmit(h.CSP), FrameAncestors: orOmit(h.FrameAncestors),
		ReferrerPolicy: orOmit(h.ReferrerPolicy), PermissionsPolicy: orOmit(h.PermissionsPolicy),
		OpenerPolicy: site.Omit,
	}
}

// orOmit leaves a header out that is not set: the backend knows its pages, the gateway does
// not.
func orOmit(value string) string {
	if value == "" {
		return site.Omit
	}
	return value
}
