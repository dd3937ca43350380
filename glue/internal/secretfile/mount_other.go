//go:build !linux

package secretfile

import "os"

func isMounted(*os.File, string) bool { return false }

// IsReadOnly reports whether nobody can make a file in a directory, because of its mount, where
// that can be found out.
func IsReadOnly(string) bool { return false }
