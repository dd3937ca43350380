package oauth2server

import (
	"time"

	"github.com/ucam-webauth/go-webauth/keys/words"
)

func isoTime(t time.Time) string    { return t.UTC().Format(time.RFC3339) }
func dateText(t time.Time) string   { return t.UTC().Format("2 January 2006") }
func momentText(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") }

// agoText returns in words how long ago something was, rounded down: "3 hours ago", or, where
// that is negative, "in 29 days".
func agoText(d time.Duration) string {
	unit := time.Minute
	switch length := d.Abs(); {
	case length >= day:
		unit = day
	case length >= time.Hour:
		unit = time.Hour
	case length < time.Minute && d < 0:
		return "in less than a minute"
	case length < time.Minute:
		return "just now"
	}
	text := words.Duration(d.Abs().Truncate(unit))
	if d < 0 {
		return "in " + text
	}
	return text + " ago"
}
