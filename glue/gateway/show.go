package gateway

import (
	"bytes"
	"io"
	"net/url"

	"github.com/pelletier/go-toml/v2"
)

// Show writes the configuration as it is in force, as TOML that Load reads: with
// defaults, absolute paths, and without the user and password of RedisURL. Nothing of the
// files that it names is shown.
func (c *Config) Show(w io.Writer) error {
	shown := *c
	if err := shown.normalise(); err != nil {
		return err
	}
	shown.Listen = shown.listening(false)
	shown.RedisURL = withoutSecrets(shown.RedisURL)
	var text bytes.Buffer
	if err := toml.NewEncoder(&text).Encode(shown); err != nil {
		return err
	}
	_, err := w.Write(text.Bytes())
	return err
}

// withoutSecrets returns what of a Redis's URL cannot be a password: which one it is.
func withoutSecrets(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "" // only a URL that can be read is in force
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}
