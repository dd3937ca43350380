package gateway

import (
	"bytes"
	"io"

	"github.com/pelletier/go-toml/v2"
	"github.com/ucam-webauth/go-webauth/glue/internal/program/serve"
)

// Show writes the configuration as it is in force, as TOML that Load reads: with
// defaults, absolute paths, and without the user and password of RedisURL. Nothing of the
// files that it names is shown.
func (c *Config) Show(w io.Writer) error {
	shown := *c
	if err := shown.normalise(); err != nil {
		return err
	}
	shown.Listen = shown.common().Listening(false)
	shown.RedisURL = serve.WithoutSecrets(shown.RedisURL)
	var text bytes.Buffer
	if err := toml.NewEncoder(&text).Encode(shown); err != nil {
		return err
	}
	_, err := w.Write(text.Bytes())
	return err
}
