//go:build !unix

package secretfile

import "os"

// Other systems keep permissions in ways that file modes do not show: there the operator has to
// see to them.
func check(*os.File, string) (warning string, err error) { return "", nil }

func unreadable(err error) error { return Cause(err) }

func adopt(*os.File, string) error { return nil }
