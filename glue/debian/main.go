// Debian builds the Debian packages of this module's programs: wlsgateway and wlsbridge, each with
// its systemd units, and ucam-webauth-tools with the others.
//
//	go run ./glue/debian DIR
//
// It writes them to DIR, with the manual pages and example configurations that are made on the
// way from what the programs say of themselves, and prints the names of the packages. The same
// commit and the same Go make the same bytes. It needs git, and gets nfpm from the Go module
// proxy. Install what it has made with
//
//	apt install DIR/wlsgateway_*.deb
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

func main() {
	if len(os.Args) != 2 || strings.HasPrefix(os.Args[1], "-") {
		fmt.Fprintln(os.Stderr, "usage: go run ./glue/debian DIR")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "debian:", err)
		os.Exit(1)
	}
}

// run builds all packages into a directory.
func run(dir string) error {
	root, err := moduleRoot()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	for _, p := range packages {
		b := &builder{debian: p, root: root, stage: filepath.Join(dir, p.Name)}
		if err := b.build(dir); err != nil {
			return fmt.Errorf("%s: %w", p.Name, err)
		}
	}
	return nil
}

// moduleRoot returns the directory of go.mod.
func moduleRoot() (string, error) {
	file, err := output("", nil, "go", "env", "GOMOD")
	if err != nil {
		return "", err
	}
	if filepath.Base(file) != "go.mod" {
		return "", errors.New("run this in the directory of the module")
	}
	return filepath.Dir(file), nil
}

// output runs a program and returns what it prints, without the last line break.
func output(dir string, env []string, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env, cmd.Stderr = dir, append(os.Environ(), env...), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w", cmd, err)
	}
	return strings.TrimSuffix(string(out), "\n"), nil
}
