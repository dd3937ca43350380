package readmes

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Programs of this repository that serve until they are stopped, whatever their arguments. Those
// of serveFile do so when a file is all that they are given.
var (
	servers   = []string{"./examples/quickstart", "./examples/minimal", "./examples/ownsession", "./examples/gateway", "./examples/api", "./examples/bridge", "./webauth/cmd/fakewls"}
	serveFile = []string{"./glue/gateway/cmd/wlsgateway", "./glue/wlsbridge/cmd/wlsbridge"}
)

// harmless are the commands that are run: they end, write nowhere and need no network.
var harmless = regexp.MustCompile(`^(go run \./(keys/cmd/wlskeys|webauth/cmd/wlsverify) |openssl )`)

// asCommands judges a block by each of its commands.
func asCommands(t *testing.T, b block) error {
	t.Helper()
	if out, err := exec.Command("sh", "-n", "-c", b.text).CombinedOutput(); err != nil {
		return fmt.Errorf("the shell: %s", out)
	}
	if strings.Contains(b.text, "go mod init") {
		return makesModule(t, b.text)
	}
	built := map[string]string{} // by program, the package it is of
	serving := ""
	for _, command := range commands(b.text) {
		if serving != "" {
			return fmt.Errorf("%s goes on until it is stopped, so nobody comes to: %s", serving, command)
		}
		serves, err := judge(t, built, command)
		if err != nil {
			return fmt.Errorf("%s: %w", command, err)
		}
		if serves {
			serving = command
		}
		if harmless.MatchString(command) {
			run := exec.Command("sh", "-e", "-c", command)
			run.Dir = root
			if out, err := run.CombinedOutput(); err != nil {
				return fmt.Errorf("%s: %w: %s", command, err, out)
			}
		}
	}
	return nil
}

var (
	continued = regexp.MustCompile(`\\\n\s*`)
	comment   = regexp.MustCompile(`(^|\s)#.*`)
	variable  = regexp.MustCompile(`^[A-Z_]+=\S*$`)
	quoted    = regexp.MustCompile(`'[^']*'|"[^"]*"`)
)

// commands are the lines of a shell block without comments, and with what goes on in the next
// line.
func commands(text string) (lines []string) {
	for line := range strings.Lines(continued.ReplaceAllString(text, "")) {
		bare := quoted.ReplaceAllStringFunc(line, func(s string) string { return strings.Repeat("q", len(s)) })
		if at := comment.FindStringIndex(bare); at != nil {
			line = line[:at[0]]
		}
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// judge tells whether a command serves until it is stopped, and what is wrong with it.
func judge(t *testing.T, built map[string]string, command string) (serves bool, err error) {
	t.Helper()
	words := strings.Fields(quoted.ReplaceAllString(command, "q"))
	for len(words) > 1 && variable.MatchString(words[0]) {
		words = words[1:]
	}
	switch {
	case words[0] == "go":
		return judgeGo(t, built, words[1:])
	case strings.HasPrefix(words[0], "/tmp/"):
		pkg, ok := built[words[0]]
		if !ok {
			return false, errors.New("nothing here builds it")
		}
		return judgeBuilt(t, pkg, words[1:])
	case slices.Contains([]string{"openssl", "curl"}, words[0]), variable.MatchString(words[0]):
		return false, nil
	}
	return false, errors.New("no test knows this program: see shell_test.go")
}

// judgeGo looks whether packages and flags exist.
func judgeGo(t *testing.T, built map[string]string, words []string) (serves bool, err error) {
	t.Helper()
	var packages []string
	for i, word := range words {
		if strings.HasPrefix(word, "./") && word != "./..." && words[0] != "work" && (words[0] != "run" || i == 1) {
			packages = append(packages, word)
		}
	}
	for _, pkg := range packages {
		if files, err := filepath.Glob(filepath.Join(root, pkg, "*.go")); err != nil || len(files) == 0 {
			return false, fmt.Errorf("there is no package %s", pkg)
		}
	}
	switch words[0] {
	case "run":
		if len(packages) == 0 {
			return false, errors.New("it runs no package of this repository")
		}
		return slices.Contains(servers, words[1]), knowsFlags(t, words[1], words[2:])
	case "build":
		i := slices.Index(words, "-o")
		if len(packages) != 1 || i < 1 || i+3 != len(words) {
			return false, errors.New("want go build ... -o FILE PACKAGE")
		}
		built[words[i+1]] = packages[0]
	case "test", "doc":
		if len(packages) == 0 && words[1] != "./..." {
			return false, errors.New("of no package")
		}
	case "work", "version":
	default:
		return false, errors.New("no test knows this command of go: see shell_test.go")
	}
	return false, nil
}

// judgeBuilt looks in the help of a program for what it is asked to do.
func judgeBuilt(t *testing.T, pkg string, words []string) (serves bool, err error) {
	t.Helper()
	if len(words) == 1 && !strings.HasPrefix(words[0], "-") {
		return slices.Contains(serveFile, pkg), nil
	}
	if words[0] == "-h" {
		return false, nil
	}
	verbs := path.Base(pkg)
	for _, word := range words {
		if !regexp.MustCompile(`^[a-z]+$`).MatchString(word) {
			break
		}
		verbs += " " + word
	}
	if !strings.Contains(read(t, filepath.Join(root, pkg, "help.txt")), "  "+verbs+" ") {
		return false, fmt.Errorf("the help has no %q", verbs)
	}
	return false, nil
}

// knowsFlags looks for flags in the source of a program.
func knowsFlags(t *testing.T, pkg string, words []string) error {
	t.Helper()
	known := flagsOf(t, filepath.Join(root, pkg))
	if strings.HasPrefix(pkg, "./examples/") {
		known = append(known, flagsOf(t, filepath.Join(root, "examples/internal/demo"))...)
	}
	for _, word := range words {
		name, isFlag := strings.CutPrefix(word, "-")
		name, _, _ = strings.Cut(name, "=")
		if isFlag && name != "" && !slices.Contains(known, name) {
			return fmt.Errorf("it has no flag -%s", name)
		}
	}
	return nil
}

var define = regexp.MustCompile(`^(Bool|Duration|Float64|Func|BoolFunc|Int|Int64|String|Text|Uint|Uint64)?(Var)?$`)

// flagsOf are the names of the flags that a package defines.
func flagsOf(t *testing.T, dir string) (names []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	require.NoError(t, err)
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		require.NoError(t, err)
		ast.Inspect(parsed, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if method, ok := call.Fun.(*ast.SelectorExpr); !ok || !define.MatchString(method.Sel.Name) {
				return true
			}
			for _, arg := range call.Args[:min(2, len(call.Args))] {
				if lit, ok := arg.(*ast.BasicLit); ok && lit.Kind == token.STRING {
					name, err := strconv.Unquote(lit.Value)
					require.NoError(t, err)
					names = append(names, name)
					break
				}
			}
			return true
		})
	}
	return names
}

// makesModule runs a block that makes a site of one's own, in folders with the names that it
// has. It must then build, by what this machine has of modules.
func makesModule(t *testing.T, script string) error {
	t.Helper()
	dir := t.TempDir()
	clone, err := filepath.Abs(root)
	require.NoError(t, err)
	require.NoError(t, os.Symlink(clone, filepath.Join(dir, "go-webauth")))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "mysite"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "mysite", "main.go"), []byte(read(t, root+"/examples/minimal/main.go")), 0o600))
	cmd := exec.Command("sh", "-e", "-c", script+"\ngo vet .")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOPROXY=off", "GOSUMDB=off", "GOWORK=off", "GOFLAGS=-trimpath")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}
