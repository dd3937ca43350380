// Package words has a configuration that speaks of itself in many ways.
package words

import "example.invalid/duration"

// Config is the whole file.
type Config struct {
	// BaseURL is where the site is. See also [Config.Front], and Inner.MaxLife of Inner.
	BaseURL string `toml:"base-url,omitempty"`
	// Front, Header and MaxBytes are explained at once. Header is first, MaxBytes last.
	Front    string `toml:"front"`
	Header   string `toml:"header"`
	MaxBytes int    `toml:"max-bytes"`
	// Path is a path, as in "Path = /". The Path attribute and the Host header are of HTTP, and
	// so is X-Front. Front is a word here; and Front a key. Without MaxBytes there is none.
	Path string `toml:"path"`
	Rest int    // has no key
	// Inner is a table.
	Inner Inner `toml:"inner"`
	// Rules are tables.
	Rules []Rule `toml:"rule"`
	// Names are up to the operator.
	Names map[string]string `toml:"names"`
	Shared
}

// Shared is embedded.
type Shared struct {
	Life duration.Duration `toml:"life"` // how long, as MaxLife of the rule's MaxLife
}

// Inner is a table.
type Inner struct {
	// MaxLife is not less than BaseURL.
	MaxLife duration.Duration `toml:"max-life"`
}

// Kind is one of two.
type Kind string

// The kinds.
const (
	// Open lets in, as Path says.
	Open Kind = "open"
	// Shut does not, as Open does.
	Shut  Kind = "shut"
	other      = "other"
)

// Rule is one of many.
type Rule struct {
	// Kind is open or shut. Open is a word here, and so is Optional.
	Kind Kind `toml:"kind"`
}
