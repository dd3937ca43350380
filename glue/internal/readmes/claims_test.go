package readmes

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/gateway"
)

// claims says for each language what makes sure of a block.
var claims = map[string]func(*testing.T, block) error{
	"go":                      inExample,
	"toml":                    loads,
	"sh":                      asCommands,
	"nginx":                   isFile,
	"apache":                  isFile,
	"apache mod_ucam_webauth": isBefore,
	"caddy":                   isFile,
	"haproxy":                 isFile,
	"lua":                     isFile,
	"yaml":                    isFile,
}

// check tells what is wrong with a block.
func check(t *testing.T, b block) error {
	t.Helper()
	claim := claims[b.language]
	if claim == nil {
		return errors.New("no test claims blocks of this language: see claims_test.go")
	}
	return claim(t, b)
}

func TestBlocks(t *testing.T) {
	for file, text := range readmes(t) {
		blocks, prose, err := cut(file, text)
		require.NoError(t, err)
		for _, b := range append(blocks, inline(file, prose)...) {
			assert.NoError(t, check(t, b), "%s:\n%s", b, b.text)
		}
	}
}

// TestClaimsFail: nothing passes because nothing looks at it.
func TestClaimsFail(t *testing.T) {
	for name, b := range map[string]block{
		"no language":               {text: "x\n"},
		"a language of nobody":      {language: "cobol", text: "x\n"},
		"Go that is in no example":  {language: "go", text: "auth.Requires(app)\n"},
		"an unknown key":            {language: "toml", text: "base-url = \"https://soc.example\"\nbase-uri = \"x\"\n"},
		"a directive of no table":   {file: "glue/gateway/README.md", language: "apache mod_ucam_webauth", text: "AATimeoutMessage x\n"},
		"another file":              {language: "nginx", text: "server { listen 80; }\n"},
		"shell that does not parse": {language: "sh", text: "go run './examples/quickstart\n"},
		"an unknown program":        {language: "sh", text: "frobnicate\n"},
		"no such package":           {language: "sh", text: "go run ./examples/quickstarts\n"},
		"no such flag":              {language: "sh", text: "go run ./examples/quickstart -ridis x\n"},
		"no such subcommand":        {language: "sh", text: "go build -o /tmp/wlsgateway ./glue/gateway/cmd/wlsgateway\n/tmp/wlsgateway chekc gateway.toml\n"},
		"a program of nowhere":      {language: "sh", text: "/tmp/wlsgateway check gateway.toml\n"},
		"more after a server":       {language: "sh", text: "go run ./webauth/cmd/fakewls\ngo run ./keys/cmd/wlskeys list\n"},
		"more after a built server": {language: "sh", text: "go build -o /tmp/wlsbridge ./glue/wlsbridge/cmd/wlsbridge\n/tmp/wlsbridge bridge.toml\n/tmp/wlsbridge keys bridge.toml\n"},
		"a command that fails":      {language: "sh", text: "go run ./keys/cmd/wlskeys compare -service raven keys/pubkey901\n"},
	} {
		assert.Error(t, check(t, b), name)
	}
	_, _, err := cut("README.md", "```go\nx\n")
	assert.Error(t, err)
}

// inExample looks for the lines of a block in the examples of all packages, and in what is tried with routers.
func inExample(t *testing.T, b block) error {
	t.Helper()
	if !strings.Contains(examples(t), outdent(b.text)) {
		return errors.New("in no file example*_test.go and not in testdata/routers")
	}
	return nil
}

func examples(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, pattern := range []string{"/*/example*_test.go", "/*/*/example*_test.go", "/*/*/*/example*_test.go", "/testdata/routers/*.go"} {
		files, err := filepath.Glob(root + pattern)
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, file := range files {
			all.WriteString(outdent(read(t, file)))
		}
	}
	return all.String()
}

var indentation = regexp.MustCompile(`(?m)^[ \t]+`)

func outdent(code string) string { return indentation.ReplaceAllString(code, "") }

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(text)
}

// loads has the gateway read a configuration. That of wlsbridge is in the help of the program,
// whose test reads it there.
func loads(t *testing.T, b block) error {
	t.Helper()
	if strings.HasPrefix(b.file, "glue/wlsbridge/") {
		if !strings.Contains(outdent(read(t, root+"/glue/wlsbridge/cmd/wlsbridge/help.txt")), outdent(b.text)) {
			return errors.New("not in the help of wlsbridge")
		}
		return nil
	}
	file := filepath.Join(t.TempDir(), "gateway.toml")
	require.NoError(t, os.WriteFile(file, []byte(b.text), 0o600))
	_, err := gateway.Load(file)
	return err
}

// shown is the folder of files that READMEs show and that tests start front servers with.
const shown = root + "/glue/gateway/testdata/front/"

// isFile looks for the file that a block is.
func isFile(t *testing.T, b block) error {
	t.Helper()
	files, err := os.ReadDir(shown)
	require.NoError(t, err)
	for _, file := range files {
		if read(t, shown+file.Name()) == b.text {
			return nil
		}
	}
	return fmt.Errorf("no file of %s", shown)
}

var directive = regexp.MustCompile(`(?m)^ *(AA\w+|SetHandler|AuthGroupFile|Require [a-z-]+)`)

// isBefore looks for the directives of a site that is to move in the table of what they are
// called here. No test has the module.
func isBefore(t *testing.T, b block) error {
	t.Helper()
	readme := read(t, filepath.Join(root, b.file))
	found := directive.FindAllStringSubmatch(b.text, -1)
	if found == nil {
		return errors.New("it has no directive of the module")
	}
	for _, m := range found {
		if name := m[1]; name != "AuthGroupFile" && !regexp.MustCompile("(?m)^\\|[^|]*`"+name+"[` ]").MatchString(readme) {
			return fmt.Errorf("%s is not in the table", name)
		}
	}
	return nil
}

// TestShownFiles: each of these files is in a README as it stands, and in a test.
func TestShownFiles(t *testing.T) {
	var all, tests strings.Builder
	for _, text := range readmes(t) {
		all.WriteString(text)
	}
	sources, err := filepath.Glob(root + "/glue/gateway/*_test.go")
	require.NoError(t, err)
	for _, source := range sources {
		tests.WriteString(read(t, source))
	}
	files, err := os.ReadDir(shown)
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		assert.Contains(t, all.String(), read(t, shown+file.Name()), "%s is in no README", file.Name())
		assert.Contains(t, tests.String(), file.Name()+`"`, "%s is in no test", file.Name())
	}
}

// TestFirstLines: the package's documentation begins as the README does.
func TestFirstLines(t *testing.T) {
	blocks, _, err := cut("README.md", readmes(t)["README.md"])
	require.NoError(t, err)
	for _, b := range blocks {
		if b.language == "go" {
			doc := strings.ReplaceAll(read(t, root+"/glue/doc.go"), "//\t", "\t")
			assert.Contains(t, outdent(doc), outdent(b.text))
			return
		}
	}
	assert.Fail(t, "the README has no Go")
}
