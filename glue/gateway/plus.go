package gateway

import "strings"

// Some programs take a plus sign in a path for a blank, as it is one in the query of a form.
// Paths go on with plus signs as they were sent, encoded or not, except where a rule makes a
// difference between the two readings: there backends get them encoded, which all programs
// read alike.

// plusAsBlank returns a path as such programs read it.
func plusAsBlank(path string) string { return strings.ReplaceAll(path, "+", "%20") }

// ruleAsBlank returns the rule of a path, whose own is ru, as such programs read it.
func (c *core) ruleAsBlank(host, path string, ru *rule) *rule {
	if !strings.Contains(path, "+") {
		return ru
	}
	return c.ruleFor(host, plusAsBlank(path))
}

// settlePlus returns the path of a request of rule ru that goes on to a backend.
func (c *core) settlePlus(host, path string, ru *rule) string {
	if c.ruleAsBlank(host, path, ru) == ru {
		return path
	}
	return strings.ReplaceAll(path, "+", "%2B")
}

// settleAtFront returns the rule of a path that goes on as it was sent: one that refuses it
// where the rule of the other reading asks more.
func (c *core) settleAtFront(host, path string, ru *rule) *rule {
	if other := c.ruleAsBlank(host, path, ru); other == c.ambiguous || other != ru && !other.asksNoMore(ru) {
		return c.ambiguous
	}
	return ru
}
