package gateway

// readSecretFile reads a file that must stay secret, and notes who can read it that should not.
func (c *core) readSecretFile(key, path string) ([]byte, error) {
	return c.common.ReadSecretFile(&c.noted, key, path)
}
