package secretfile

import (
	"os"
	"path/filepath"
)

// Credential returns the file below $CREDENTIALS_DIRECTORY, where systemd puts what a unit's
// LoadCredential= names, that a relative name stands for. It is empty where there is none.
func Credential(name string) string {
	dir := os.Getenv("CREDENTIALS_DIRECTORY")
	if !filepath.IsAbs(dir) || !filepath.IsLocal(name) {
		return ""
	}
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); err != nil {
		return ""
	}
	return path
}

// Path returns the file that a name stands for: a credential, else what the name says.
func Path(name string) string {
	if path := Credential(name); path != "" {
		return path
	}
	return name
}
