package main

import (
	"bytes"
	"compress/gzip"
	"debug/buildinfo"
	"embed"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"text/template"
	"time"
)

// nfpm is the program that puts packages together.
const nfpm = "github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.2"

// files are templates: what nfpm makes of a package, and what one whose program serves has more.
//
//go:embed nfpm.yaml program
var files embed.FS

// builder builds one package.
type builder struct {
	debian
	root  string // of the module
	stage string // where the package's files are gathered

	Version string
	date    time.Time // of the commit
}

// What templates use beside the package's fields.
func (b *builder) Maintainer() string { return maintainer }
func (b *builder) Homepage() string   { return homepage }
func (b *builder) Arch() string       { return runtime.GOARCH }
func (b *builder) Serves() bool       { return b.config != "" }

func (b *builder) build(dir string) error {
	if err := os.RemoveAll(b.stage); err != nil {
		return err
	}
	if err := os.Mkdir(b.stage, 0o755); err != nil {
		return err
	}
	for _, step := range []func() error{b.compile, b.identify, b.render, b.document, b.copyDocs} {
		if err := step(); err != nil {
			return err
		}
	}
	env := []string{fmt.Sprintf("SOURCE_DATE_EPOCH=%d", b.date.Unix())}
	out, err := output(b.stage, env, "go", "run", nfpm, "package", "--config", "nfpm.yaml", "--packager", "deb", "--target", dir)
	if err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	_, name, ok := strings.Cut(out, "created package: ")
	if !ok {
		return fmt.Errorf("nfpm did not say which file it made: %s", out)
	}
	fmt.Println(name)
	return nil
}

// compile builds the programs for machines with nothing else on them.
func (b *builder) compile() error {
	env := append(gitTrusts(b.root), "CGO_ENABLED=0")
	for _, p := range b.Programs {
		if _, err := output(b.root, env, "go", "build", "-trimpath", "-buildvcs=true", "-ldflags=-s -w",
			"-o", filepath.Join(b.stage, p.Name), "./"+p.dir); err != nil {
			return err
		}
	}
	return nil
}

// gitTrusts has git describe a clone that belongs to another user.
func gitTrusts(root string) []string {
	return []string{"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=" + root}
}

// identify finds out which version was built, and of what day.
func (b *builder) identify() error {
	out, err := output(b.root, gitTrusts(b.root), "git", "log", "-1", "--format=%ct %H")
	if err != nil {
		return err
	}
	var seconds int64
	var commit string
	if _, err := fmt.Sscan(out, &seconds, &commit); err != nil {
		return fmt.Errorf("git does not say of which commit this is: %q", out)
	}
	b.date = time.Unix(seconds, 0).UTC()
	info, err := buildinfo.ReadFile(filepath.Join(b.stage, b.Programs[0].Name))
	if err != nil {
		return err
	}
	version := info.Main.Version
	if version == "(devel)" { // in a worktree, which Go does not ask git about
		version = "v0.0.0-" + b.date.Format("20060102150405") + "-" + commit[:12]
	}
	b.Version = debianVersion(version)
	return nil
}

// debianVersion returns a version of a Go module as one of Debian, so that those that come
// before a release sort before it: v1.2.3-0.20261130212500-8223b7300000 is 1.2.3~0.2026...
func debianVersion(version string) string {
	version, build, _ := strings.Cut(strings.TrimPrefix(version, "v"), "+")
	release, before, pre := strings.Cut(version, "-")
	if pre {
		release += "~" + strings.ReplaceAll(before, "-", ".")
	}
	if build != "" { // "dirty"
		release += "+" + build
	}
	return release
}

// render writes the package's own files.
func (b *builder) render() error {
	if err := b.template("nfpm.yaml", "nfpm.yaml", b); err != nil {
		return err
	}
	if !b.Serves() {
		return nil
	}
	for from, to := range map[string]string{"service": b.Name + ".service", "postinst": "postinst", "prerm": "prerm", "postrm": "postrm"} {
		if err := b.template("program/"+from, to, b); err != nil {
			return err
		}
	}
	for socket, port := range map[string]string{"https": "443", "redirect": "80"} {
		if err := b.template("program/socket", b.Name+"-"+socket+".socket", struct {
			*builder
			Socket, Port string
		}{b, socket, port}); err != nil {
			return err
		}
	}
	return nil
}

func (b *builder) template(from, to string, data any) error {
	t, err := template.ParseFS(files, from)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if err := t.Execute(&text, data); err != nil {
		return err
	}
	return b.write(to, text.Bytes())
}

// copyDocs writes what Debian wants of every package.
func (b *builder) copyDocs() error {
	license, err := os.ReadFile(filepath.Join(b.root, "LICENSE"))
	if err != nil {
		return err
	}
	changes, err := os.ReadFile(filepath.Join(b.root, "CHANGELOG.md"))
	if err != nil {
		return err
	}
	if err := b.write("copyright", license); err != nil {
		return err
	}
	return b.compress("changelog.gz", changes)
}

func (b *builder) write(name string, text []byte) error {
	return os.WriteFile(filepath.Join(b.stage, name), text, 0o644)
}

// compress writes a file with the same bytes each time.
func (b *builder) compress(name string, text []byte) error {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := w.Write(text); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return b.write(name, out.Bytes())
}
