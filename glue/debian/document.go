package main

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue/internal/manual"
)

// moreExamples are for keys that glue/gateway/testdata/everything.toml has not.
//
//go:embed examples.toml
var moreExamples []byte

// document makes the manual pages and, of a program that serves, the configurations.
func (b *builder) document() error {
	for _, p := range b.Programs {
		help, err := output(b.stage, nil, filepath.Join(b.stage, p.Name), p.help...)
		if err != nil {
			return err
		}
		page, err := manual.Page1(b.about(p.Name, p.seeAlso), help)
		if err != nil {
			return err
		}
		if err := b.compress(p.Name+".1.gz", []byte(page)); err != nil {
			return err
		}
		if b.Serves() {
			if err := b.documentConfig(help); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *builder) about(name string, seeAlso []string) manual.About {
	return manual.About{Program: name, Version: b.Version, Date: b.date, SeeAlso: seeAlso}
}

// documentConfig writes the configuration that is installed, the one with every key, and the
// manual page of both.
func (b *builder) documentConfig(help string) error {
	smallest, err := b.smallest(help)
	if err != nil {
		return err
	}
	if err := b.write(b.Name+".toml", []byte(smallest)); err != nil {
		return err
	}
	f, err := b.file(smallest)
	if err != nil {
		return err
	}
	example, err := f.Example(fmt.Sprintf("Every key of the configuration of %s(1). What is a comment without a blank behind\n"+
		"its # is the default, or an example for what has none.", b.Name))
	if err != nil {
		return err
	}
	if err := b.write("example.toml", []byte(example)); err != nil {
		return err
	}
	page, err := f.Page5(b.about(b.Name, []string{b.Name + "(1)"}), b.introduction())
	if err != nil {
		return err
	}
	return b.compress(b.Name+".toml.5.gz", []byte(page))
}

func (b *builder) introduction() string {
	return fmt.Sprintf(`The configuration of %[1]s(1) is a file in TOML. The package's service reads /etc/%[1]s/%[1]s.toml;
"%[1]s check FILE" says what is wrong or weak about one, and "%[1]s show FILE" prints it with all defaults.

A key is shown with its default, or with an example where it has none. Durations are strings such as "90s" or "2h30m".
Paths of files are relative to the directory of the configuration file. A relative path of a file with a secret, or of a
certificate, stands first for a credential that systemd has loaded for the service (LoadCredential=). The package's service
has these, from files in /etc/%[1]s that belong to root and that nobody else may read: %[2]s.`,
		b.Name, strings.Join(b.Credentials, ", "))
}

var (
	smallestFile = regexp.MustCompile(`(?m)^The smallest useful file:\n\n((?:  .*\n)+)`)
	// secretPath is where the help has files that systemd hands to the service.
	secretPath = regexp.MustCompile(`"/(?:etc|var/lib)/\w+/((?:client-)?secret)"`)
)

// smallest returns the configuration that is installed: the one in the help.
func (b *builder) smallest(help string) (string, error) {
	m := smallestFile.FindStringSubmatch(help)
	if m == nil {
		return "", fmt.Errorf("the help has no smallest useful file")
	}
	text := regexp.MustCompile(`(?m)^  `).ReplaceAllString(m[1], "")
	return fmt.Sprintf("# Configuration of %[1]s(1). %[1]s.toml(5) explains every key; all of them are in\n"+
		"# /usr/share/doc/%[1]s/examples/%[1]s.toml. When you have changed something:\n"+
		"#\n#\t%[1]s check /etc/%[1]s/%[1]s.toml\n#\tsystemctl reload %[1]s\n\n", b.Name) +
		secretPath.ReplaceAllString(text, `"$1"`), nil
}

// file is what is known about the configuration file.
func (b *builder) file(smallest string) (*manual.File, error) {
	table, err := manual.Read(b.root, b.config, "Config")
	if err != nil {
		return nil, err
	}
	f := &manual.File{Table: table, Examples: manual.Values{}}
	if f.Smallest, err = manual.ParseValues([]byte(smallest)); err != nil {
		return nil, err
	}
	// The program itself knows its defaults best.
	shown, err := output(b.stage, nil, filepath.Join(b.stage, b.Name), "show", b.Name+".toml")
	if err != nil {
		return nil, err
	}
	if f.Defaults, err = manual.ParseValues([]byte(strings.ReplaceAll(shown, b.stage+"/", ""))); err != nil {
		return nil, err
	}
	everything, err := os.ReadFile(filepath.Join(b.root, "glue/gateway/testdata/everything.toml"))
	if err != nil {
		return nil, err
	}
	for _, text := range [][]byte{moreExamples, everything} {
		examples, err := manual.ParseValues(text)
		if err != nil {
			return nil, err
		}
		f.Examples.Add(examples)
	}
	return f, nil
}
