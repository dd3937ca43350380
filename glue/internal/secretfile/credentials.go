package secretfile

import (
	"os"
	"path/filepath"
	"strings"
)

// Credential returns the file below $CREDENTIALS_DIRECTORY, where systemd puts what a unit's
// LoadCredential= names, that a relative name stands for. It is empty where there is none, or a
// blank one: a unit whose credential may be missing has that in its place
// (SetCredential=name:\n), as systemd would not start it without any.
func Credential(name string) string {
	dir := os.Getenv("CREDENTIALS_DIRECTORY")
	if !filepath.IsAbs(dir) || !filepath.IsLocal(name) {
		return ""
	}
	path := filepath.Join(dir, name)
	info, err := os.Stat(path)
	if err != nil || info.Mode().IsRegular() && info.Size() <= 1 && isBlank(path) {
		return ""
	}
	return path
}

func isBlank(path string) bool {
	text, err := os.ReadFile(path)
	return err == nil && strings.TrimSpace(string(text)) == ""
}

// Path returns the file that a name stands for: a credential, else what the name says.
func Path(name string) string {
	if path := Credential(name); path != "" {
		return path
	}
	return name
}
