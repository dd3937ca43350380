package gateway

import (
	"github.com/ucam-webauth/go-webauth/glue/internal/secretfile"
)

// maxSecretFile bounds the files of keys and passwords, in bytes.
const maxSecretFile = 64 << 10

// secretPath makes the path of a file that holds a secret absolute: a relative one that is there
// below $CREDENTIALS_DIRECTORY of systemd is that file, and another one begins at the
// configuration file's directory.
func (c *Config) secretPath(path string) string {
	if credential := secretfile.Credential(path); credential != "" {
		return credential
	}
	return c.file.Path(path)
}

// readSecretFile reads a file that must stay secret, and notes who can read it that should not.
func (c *core) readSecretFile(key, path string) ([]byte, error) {
	file, err := secretfile.Read(path, maxSecretFile)
	if err != nil {
		return nil, c.cfg.file.Errorf(key, "%s: %v", path, err)
	}
	if file.Warning != "" {
		c.noted.Warnf(key, "%s %s", path, file.Warning)
	}
	return file.Text, nil
}
