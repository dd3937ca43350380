package gateway

import (
	"log/slog"
	"slices"

	"github.com/ucam-webauth/go-webauth/glue/gateway/internal/paths"
)

// warnOfLoosened warns the operator of what a reload has opened: a file that was cut short while
// it was written may be in good order and have fewer rules. Labels are all that is logged.
func warnOfLoosened(log *slog.Logger, before, after []Rule) {
	var gone, loosened []string
	for _, old := range before {
		i := slices.IndexFunc(after, func(r Rule) bool { return r.Host == old.Host && paths.TrimSlash(r.Path) == paths.TrimSlash(old.Path) })
		switch {
		case i < 0:
			gone = append(gone, old.Host+old.Path)
		case isLoosened(&old, &after[i]):
			loosened = append(loosened, old.Host+old.Path)
		}
	}
	if gone != nil {
		log.Warn("wls gateway: rules are gone since the reload", "rules", gone)
	}
	if loosened != nil {
		log.Warn("wls gateway: rules ask for less since the reload", "rules", loosened)
	}
}

// strictness orders what rules ask for.
var strictness = map[Access]int{Public: 0, Optional: 1, Basic: 2, LoginOrBearer: 3, Login: 4}

// isLoosened reports whether somebody may get past after whom before kept out. What the files
// say that a rule names is not compared.
func isLoosened(before, after *Rule) bool {
	return strictness[after.Access] < strictness[before.Access] ||
		letsMoreIn(namedBy(before), namedBy(after)) ||
		after.AnyPtags && !before.AnyPtags || letsMoreIn(before.Ptags, after.Ptags) ||
		letsMoreIn(before.AAuth, after.AAuth) ||
		before.IAct == "yes" && after.IAct != "yes" ||
		before.Fresh > 0 && (after.Fresh == 0 || after.Fresh > before.Fresh) ||
		!contains(before.AllowFrom, after.AllowFrom) ||
		!before.CrossOrigin.covers(after.CrossOrigin) ||
		!contains(before.PassHeaders, after.PassHeaders)
}

// asksMore reports whether a rule may keep out a request that another one lets in. It
// says yes where that depends on what the files of the two say.
func asksMore(ru, than *Rule) bool {
	switch {
	case ru.Access == Public:
		return false
	case ru.Access == Optional: // it lets everybody in, but not from pages of other origins
		return !ru.CrossOrigin.covers(than.CrossOrigin) || than.Access == Public && !ru.CrossOrigin.any()
	case ru.Access == Basic && (than.Access != Basic || than.Htpasswd != ru.Htpasswd):
		return true
	case ru.Groups != nil && than.GroupFile != ru.GroupFile:
		return true
	case ru.IAct == "no" && than.IAct != "no":
		return true
	}
	return isLoosened(outspoken(ru), outspoken(than))
}

// outspoken returns a rule that says what another means by its silence.
func outspoken(r *Rule) *Rule {
	said := *r
	if said.Ptags == nil && !said.AnyPtags {
		said.Ptags = []string{"current"} // or none at all: then no rule names any
	}
	if said.AAuth == nil {
		said.AAuth = []string{"pwd"}
	}
	return &said
}

// namedBy are the people and groups that a rule is for; nil is everybody.
func namedBy(r *Rule) []string {
	var names []string
	for _, p := range r.Principals {
		names = append(names, "user "+p)
	}
	for _, g := range r.Groups {
		names = append(names, "group "+g)
	}
	return names
}

// letsMoreIn compares lists one of whose entries suffices; nil asks for nothing, or what
// is usual.
func letsMoreIn(before, after []string) bool {
	return before != nil && (after == nil || !contains(before, after))
}

// contains reports whether list has all of part.
func contains[T comparable](list, part []T) bool {
	return !slices.ContainsFunc(part, func(v T) bool { return !slices.Contains(list, v) })
}
