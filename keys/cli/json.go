package cli

import (
	"encoding/json"
	"io"
)

// WriteJSON prints a value as JSON, in lines for people and without what HTML would need.
func WriteJSON(stdout io.Writer, value any) error {
	encoder := json.NewEncoder(stdout)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}
