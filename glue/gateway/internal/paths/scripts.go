package paths

import (
	"strings"
)

// Front controllers take the name of a script off a path and route by what is left, which
// CGI calls PATH_INFO (RFC 3875 section 4.1.5): /index.php/admin is /admin to them, and
// /app/index.php/admin is /app/admin or, where they do not look at their own directory,
// /admin. A path is therefore read without such a segment too.

// Scripts are the names of segments that may be a script's, in the normal form and in any
// letter case: "app", or "*.php" for what ends so.
type Scripts []string

// UsualScripts are endings of names that servers run, and pass the rest of the path to.
var UsualScripts = Scripts{
	"*.php", "*.php3", "*.php4", "*.php5", "*.php6", "*.php7", "*.php8", "*.phtml", "*.pht", "*.phar",
	"*.cgi", "*.fcgi", "*.fpl", "*.pl", "*.py", "*.wsgi", "*.rb", "*.lua", "*.sh", "*.exe",
	"*.asp", "*.aspx", "*.ashx", "*.asmx", "*.svc", "*.dll", "*.cfm", "*.cfc",
}

// maxScripts is how many segments of one path may be a script's. Honest paths have one.
const maxScripts = 8

// ScriptNames returns names of a configuration in their normal form.
func ScriptNames(names []string) Scripts {
	var all Scripts
	for _, name := range names {
		all = append(all, Escape(name))
	}
	return all
}

// IsScriptName reports whether a name is one that Rule.Scripts can have.
func IsScriptName(name string) bool {
	if ending, any := strings.CutPrefix(name, "*."); any {
		return ending != "" && !strings.ContainsAny(ending, "./*%")
	}
	return name != "" && name != "." && name != ".." && !strings.ContainsAny(name, "/*%")
}

// Has reports whether a segment is a script's name.
func (names Scripts) Has(segment string) bool {
	segment = FoldPlus(segment)
	dot := strings.LastIndexByte(segment, '.')
	for _, name := range names {
		if ending, any := strings.CutPrefix(name, "*"); any {
			if dot >= 0 && strings.EqualFold(segment[dot:], ending) {
				return true
			}
		} else if strings.EqualFold(segment, name) {
			return true
		}
	}
	return false
}

// Script is a path that goes on behind a script's name, as a front controller reads it.
type Script struct {
	Before  string // the path up to the name, without a final slash
	Without string // the path without the name
	After   string // what follows the name
}

// IsRouted reports whether the script gets something to route by.
func (s Script) IsRouted() bool { return len(s.After) > len("/") }

// In returns the scripts that a normal path may have in it, and false if there are too many.
func (names Scripts) In(path string) (found []Script, few bool) {
	if len(names) == 0 {
		return nil, true
	}
	for start := 0; ; {
		length := strings.IndexByte(path[start+1:], '/')
		end := start + 1 + length
		if length < 0 {
			break // nothing follows: it is the script's own page
		}
		if names.Has(path[start+1 : end]) {
			if len(found) == maxScripts {
				return nil, false
			}
			found = append(found, Script{path[:start], path[:start] + path[end:], path[end:]})
		}
		start = end
	}
	if len(found) > 1 {
		after := names.removed(found[0].After)
		found = append(found, Script{found[0].Before, found[0].Before + after, after})
	}
	return found, true
}

// removed returns a path without any script's name but its last segment.
func (names Scripts) removed(path string) string {
	var b strings.Builder
	segments := strings.Split(path[1:], "/")
	for i, segment := range segments {
		if i == len(segments)-1 || !names.Has(segment) {
			b.WriteString("/" + segment)
		}
	}
	return b.String()
}
