package oauth2server

import (
	"strconv"
	"time"
)

func isoTime(t time.Time) string    { return t.UTC().Format(time.RFC3339) }
func dateText(t time.Time) string   { return t.UTC().Format("2 January 2006") }
func momentText(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") }

// agoText returns in words how long ago something was, rounded down: "3 hours ago", or, where
// that is negative, "in 29 days".
func agoText(d time.Duration) string {
	text := ""
	switch length := d.Abs(); {
	case length >= 2*day:
		text = countText(length/day, "day")
	case length >= time.Hour:
		text = countText(length/time.Hour, "hour")
	case length >= time.Minute:
		text = countText(length/time.Minute, "minute")
	case d < 0:
		return "in less than a minute"
	default:
		return "just now"
	}
	if d < 0 {
		return "in " + text
	}
	return text + " ago"
}

func countText(n time.Duration, unit string) string {
	if n != 1 {
		unit += "s"
	}
	return strconv.FormatInt(int64(n), 10) + " " + unit
}
