package gateway

import (
	"net/url"
	"slices"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue/gateway/internal/paths"
)

// anyOddPaths reports whether some rule lets odd paths pass: see [Rule.OddPaths].
func (c *Config) anyOddPaths() bool {
	return slices.ContainsFunc(c.Rules, func(r Rule) bool { return r.OddPaths })
}

// isOdd reports whether the path of a request, as [core.pathOf] returned it, has no normal
// form.
func (c *core) isOdd(path string) bool { return c.oddPaths && paths.IsOdd(path) }

// pathOf returns a path, as it stands in a request to a host, as rules are looked up with and
// as it goes on: in its normal form or, where it has none and its rule lets it pass, as it was
// sent.
func (c *core) pathOf(host, path string) (string, error) {
	normal, err := paths.Normalise(path)
	if err == nil || !c.oddPaths {
		return normal, err
	}
	if sent, no := paths.Sent(path); no == nil && c.isOdd(sent) && c.oddRule(host, sent) != c.ambiguous {
		return sent, nil
	}
	return "", err
}

// oddRule finds the rule for an odd path: the one that all readings of it lead to, if it lets
// such paths pass.
func (c *core) oddRule(host, path string) *rule {
	readings, err := paths.Readings(path)
	if err != nil || slices.ContainsFunc(readings, isReserved) {
		return c.ambiguous
	}
	ru := c.plainRule(host, readings[0])
	if !ru.cfg.OddPaths || slices.ContainsFunc(readings[1:], func(r string) bool { return c.plainRule(host, r) != ru }) {
		return c.ambiguous
	}
	return ru
}

// decoded returns what package url has as the path of a URL whose path is written so.
func decoded(path string) string {
	if !strings.Contains(path, "%") {
		return path
	}
	text, _ := url.PathUnescape(path) // which it is known to be
	return text
}
