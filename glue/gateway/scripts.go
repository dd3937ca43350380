package gateway

import (
	"slices"
	"strings"
)

// Front controllers take the name of a script off a path and route by what is left, which
// CGI calls PATH_INFO (RFC 3875 section 4.1.5): /index.php/admin is /admin to them, and
// /app/index.php/admin is /app/admin or, where they do not look at their own directory,
// /admin. A path is therefore read without such a segment too.

// scripts are the names of segments that may be a script's, in the normal form and in any
// letter case: "app", or "*.php" for what ends so.
type scripts []string

// usualScripts are endings of names that servers run, and pass the rest of the path to.
var usualScripts = scripts{
	"*.php", "*.php3", "*.php4", "*.php5", "*.php6", "*.php7", "*.php8", "*.phtml", "*.pht", "*.phar",
	"*.cgi", "*.fcgi", "*.fpl", "*.pl", "*.py", "*.wsgi", "*.rb", "*.lua", "*.sh", "*.exe",
	"*.asp", "*.aspx", "*.ashx", "*.asmx", "*.svc", "*.dll", "*.cfm", "*.cfc",
}

// maxScripts is how many segments of one path may be a script's. Honest paths have one.
const maxScripts = 8

// scriptsOf gives the names for the first of these rules, which are those of the next
// ones that would fit.
func scriptsOf(rules []*rule) scripts {
	for _, ru := range rules {
		if ru.cfg.Scripts == nil || !fits(ru.prefix, rules[0].prefix) {
			continue
		}
		if len(ru.cfg.Scripts) == 0 {
			return nil
		}
		return slices.Concat(usualScripts, asScripts(ru.cfg.Scripts))
	}
	return usualScripts
}

// asScripts gives names of a configuration in their normal form.
func asScripts(names []string) scripts {
	var all scripts
	for _, name := range names {
		all = append(all, escapePath(name))
	}
	return all
}

// isScriptName reports whether a name is one that Rule.Scripts can have.
func isScriptName(name string) bool {
	if ending, any := strings.CutPrefix(name, "*."); any {
		return ending != "" && !strings.ContainsAny(ending, "./*%")
	}
	return name != "" && name != "." && name != ".." && !strings.ContainsAny(name, "/*%")
}

// has reports whether a segment is a script's name.
func (names scripts) has(segment string) bool {
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

// script is a path that goes on behind a script's name, as a front controller reads it.
type script struct {
	before  string // the path up to the name, without a final slash
	without string // the path without the name
	after   string // what follows the name
}

// isRouted reports whether the script gets something to route by.
func (s script) isRouted() bool { return len(s.after) > len("/") }

// isNamedBy reports whether the rule's path has the script's name in it.
func (s script) isNamedBy(ru *rule) bool { return len(ru.prefix) > len(s.before) }

// in gives the scripts that a normal path may have in it, and false if there are too many.
func (names scripts) in(path string) (found []script, few bool) {
	if len(names) == 0 {
		return nil, true
	}
	for start := 0; ; {
		length := strings.IndexByte(path[start+1:], '/')
		end := start + 1 + length
		if length < 0 {
			break // nothing follows: it is the script's own page
		}
		if names.has(path[start+1 : end]) {
			if len(found) == maxScripts {
				return nil, false
			}
			found = append(found, script{path[:start], path[:start] + path[end:], path[end:]})
		}
		start = end
	}
	if len(found) > 1 {
		after := names.removed(found[0].after)
		found = append(found, script{found[0].before, found[0].before + after, after})
	}
	return found, true
}

// removed gives a path without any script's name but its last segment.
func (names scripts) removed(path string) string {
	var b strings.Builder
	segments := strings.Split(path[1:], "/")
	for i, segment := range segments {
		if i == len(segments)-1 || !names.has(segment) {
			b.WriteString("/" + segment)
		}
	}
	return b.String()
}

// routedByQuery reports whether a front controller might take a path of rule ru with a
// query that begins with a slash for a path of another rule, which is stricter. CodeIgniter
// does so by itself where the path is that of its directory or its script: /?/admin is
// /admin there, and /app/index.php?/admin is /app/admin.
func (c *core) routedByQuery(host, path, query string, ru *rule) bool {
	if !strings.HasPrefix(query, "/") || len(ru.scripts) == 0 || !c.mayDiffer(host, ru) {
		return false
	}
	route, _, _ := strings.Cut(query, "?")
	route, _, _ = strings.Cut(route, "&")
	normal, err := normalisePath(route)
	if err != nil || !isResolved(route, normal) {
		return true // such programs have ways of their own with dots
	}
	directory := path
	if slash := strings.LastIndexByte(path, '/'); ru.scripts.has(path[slash+1:]) {
		directory = path[:slash]
	}
	for _, reading := range []string{normal, trimSlash(directory) + normal} {
		if other := c.ruleFor(host, reading); other == c.unclear || other != ru && !other.asksNoMore(ru) {
			return true
		}
	}
	return false
}
