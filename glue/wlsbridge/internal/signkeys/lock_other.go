//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package signkeys

// lock does nothing where there is no flock: keys are made without replacing any all the same.
func lock(string) (unlock func(), err error) { return func() {}, nil }
