package words

import (
	"fmt"
	"strings"
	"time"
)

const day = 24 * time.Hour

var units = []struct {
	length time.Duration
	name   string
}{
	{day, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"},
	{time.Millisecond, "millisecond"}, {time.Microsecond, "microsecond"}, {time.Nanosecond, "nanosecond"},
}

// Duration returns a duration as people say it, such as "3 hours 20 minutes": its two largest
// units that are not zero, without what is left. Of how long ago something was, callers cut off
// what is less than a second before; see [Ago].
func Duration(d time.Duration) string {
	var parts []string
	if d < 0 {
		parts, d = append(parts, "minus"), d.Abs()
	}
	most := len(parts) + 2
	for _, u := range units {
		if n := d / u.length; n > 0 && len(parts) < most {
			parts = append(parts, count(int64(n), u.name))
			d -= n * u.length
		}
	}
	if len(parts) == 0 {
		return "0 seconds"
	}
	return strings.Join(parts, " ")
}

// Ago is [Duration] of the whole seconds of d, for how long ago or ahead something is.
func Ago(d time.Duration) string { return Duration(d.Truncate(time.Second)) }

func count(n int64, unit string) string {
	if n == 1 {
		return "1 " + unit
	}
	return fmt.Sprintf("%d %ss", n, unit)
}
