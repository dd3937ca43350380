package cookie

import "strings"

// Suffix makes the names of cookies differ between the sites of one host, which
// share its cookies, whether they are below different paths or at different ports. No two
// have the same suffix: slashes become dots, letters and digits stay, all else is '~' and
// its value in hexadecimal, and a '-' is in front of a port only.
func Suffix(prefix, port string) string {
	const hex = "0123456789abcdef"
	var b strings.Builder
	for i := range len(prefix) {
		switch c := prefix[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
			b.WriteByte(c)
		case c == '/':
			b.WriteByte('.')
		default:
			b.Write([]byte{'~', hex[c>>4], hex[c&15]})
		}
	}
	if port != "" {
		b.WriteString("-" + port)
	}
	return b.String()
}
