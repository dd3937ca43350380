// Package enginetest starts real servers for tests and demos: a Redis, one with Sentinels, a
// Redis Cluster, a PostgreSQL, a certified OpenID Connect provider. They listen on free ports
// of the loopback address or on unix sockets, keep what they keep in directories of their
// own, and end when they are closed.
//
//	redis, err := enginetest.StartRedis()
//	enginetest.Require(t, err)
//	t.Cleanup(redis.Close)
//
// Their programs must be installed: see [Require] and [ErrNotInstalled].
package enginetest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
)

// ErrNotInstalled is the error, wrapped, for a server whose program is not on the PATH.
var ErrNotInstalled = errors.New("it is not installed")

// TB is the part of testing.TB that Require needs.
type TB interface {
	Helper()
	Fatal(args ...any)
	Skip(args ...any)
}

// Require ends the test if err is not nil. A test whose server is not installed is skipped,
// but not in continuous integration (CI=true in the environment).
func Require(t TB, err error) {
	t.Helper()
	switch {
	case err == nil:
	case errors.Is(err, ErrNotInstalled) && os.Getenv("CI") != "true":
		t.Skip("to run this test:", err)
	default:
		t.Fatal(err)
	}
}

// installed returns an error that says how to install a program that is not on the PATH.
func installed(program, debianPackage string) error {
	if _, err := exec.LookPath(program); err != nil {
		return missing(program, debianPackage)
	}
	return nil
}

func missing(program, debianPackage string) error {
	return fmt.Errorf("%s: %w: apt-get install %s", program, ErrNotInstalled, debianPackage)
}
