package webauth

import (
	"slices"
	"strings"
)

// defaultAAuth is what is accepted where nothing was configured. The protocol would
// let none mean any; but an unexpected type is no reason to let somebody in.
var defaultAAuth = []string{"pwd"}

var strengthLetter = map[Interact]string{IActAsNeeded: "a", IActYes: "y", IActNo: "n"}

// FormatStrength returns the text of iact and aauth in a token: "y~pwd", where the letter is
// a (as needed), y (yes) or n (no), and a type follows each "~".
func FormatStrength(iact Interact, aauth []string) string {
	return strings.Join(append([]string{strengthLetter[iact]}, aauth...), "~")
}

// ParseStrength returns what [FormatStrength] wrote; ok is false for anything else.
func ParseStrength(s string) (iact Interact, aauth []string, ok bool) {
	part := strings.Split(s, "~")
	for iact, letter := range strengthLetter {
		if part[0] == letter {
			if len(part) == 1 {
				return iact, nil, true
			}
			return iact, part[1:], checkStrength(iact, part[1:]) == nil
		}
	}
	return "", nil, false
}

// CheckStrength checks whether a login by auth (the type used just now, or empty) and
// sso (types used earlier) meets what was asked for. It returns "" if so, else
// [ReasonInteract] or [ReasonAuthType]. aauth nil accepts "pwd"; other types in sso are
// ignored. (WAA2WLS, "Validating the authentication response".)
func CheckStrength(iact Interact, aauth []string, auth string, sso []string) Reason {
	if aauth == nil {
		aauth = defaultAAuth
	}
	now := auth != "" && slices.Contains(aauth, auth)
	earlier := slices.ContainsFunc(sso, func(t string) bool { return slices.Contains(aauth, t) })
	switch {
	case iact == IActYes && auth == "", iact == IActNo && auth != "":
		return ReasonInteract
	case iact == IActYes && now, iact == IActNo && earlier, iact == IActAsNeeded && (now || earlier):
		return ""
	case iact != IActYes && iact != IActNo && iact != IActAsNeeded:
		return ReasonInteract
	default:
		return ReasonAuthType
	}
}
