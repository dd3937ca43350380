// Package aaheader is how mod_ucam_webauth, the Apache module, tells a backend who somebody
// is: the names of its X-AA headers, spelled as it sends them, and what its AAHeaderKey makes
// of their values.
package aaheader

// The headers, each named after the item of AAHeaders that asks for it.
const (
	Principal = "X-AAPrincipal"
	Ptags     = "X-AAPtags"
	Auth      = "X-AAAuth"
	SSO       = "X-AASSO"
	Issue     = "X-AAIssue"   // when the site accepted the login service's response
	Last      = "X-AALast"    // the session's last use; as Issue while there is no Timeout
	Life      = "X-AALife"    // of the session, in seconds from Issue
	Timeout   = "X-AATimeout" // of inactivity, in seconds; 0 for none
	ID        = "X-AAID"      // of the login service's response
)

// TimeLayout is how a time is written, in UTC.
const TimeLayout = "20060102T150405Z"
