package webauth

import (
	"strconv"
	"strings"
	"time"
)

// splitFields returns the fields of a response as they are written, and how many there
// are; where that is too many, one more than the most.
func splitFields(value string) (raw [fieldsV3]string, n int) {
	for more := true; more && n <= len(raw); n++ {
		var field string
		if field, value, more = strings.Cut(value, "!"); n < len(raw) {
			raw[n] = field
		}
	}
	return raw, n
}

// unescapeField decodes the escapes of one field: %21 and %25, and no other.
func unescapeField(s string) (string, bool) {
	if strings.IndexByte(s, '%') < 0 {
		return s, true
	}
	plain := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '%' {
			switch {
			case strings.HasPrefix(s[i:], "%21"):
				c = '!'
			case !strings.HasPrefix(s[i:], "%25"):
				return "", false
			}
			i += len("%21") - 1
		}
		plain = append(plain, c)
	}
	return string(plain), true
}

// isNumber reports whether s is 1 to maxDigits decimal digits without a leading zero.
func isNumber(s string, maxDigits int) bool {
	if s == "" || len(s) > maxDigits || s[0] == '0' {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// IsName reports whether s is 1 to 255 printable ASCII characters without a blank: what a
// principal can be.
func IsName(s string) bool {
	if s == "" || len(s) > 255 {
		return false
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// IsPtag reports whether s can be an entry of a list such as ptags: a name as [IsName] has it,
// without a comma, which separates the entries.
func IsPtag(s string) bool { return IsName(s) && !strings.Contains(s, ",") }

// parseTime parses the protocol's form of a time. Formatting it back refuses what
// time.Parse lets through, such as fractions of a second.
func parseTime(s string) (time.Time, bool) {
	t, err := time.Parse(timeLayout, s)
	if err != nil {
		return time.Time{}, false
	}
	var b [len(timeLayout) + 16]byte
	return t, string(t.AppendFormat(b[:0], timeLayout)) == s
}

// parseLife parses life: empty, zero or a number of at most 9 digits, perhaps negative.
func parseLife(s string) (*int, bool) {
	switch {
	case s == "":
		return nil, true
	case s != "0" && !isNumber(strings.TrimPrefix(s, "-"), 9):
		return nil, false
	}
	n, err := strconv.Atoi(s)
	return &n, err == nil
}

// splitList splits a comma-separated list without blanks or empty entries; it is nil for an
// empty string.
func splitList(s string) ([]string, bool) {
	if s == "" {
		return nil, true
	}
	list := strings.Split(s, ",")
	for _, entry := range list {
		if entry == "" || strings.Contains(entry, " ") { // ParseResponse saw to the rest
			return nil, false
		}
	}
	return list, true
}
