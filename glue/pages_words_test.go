package glue_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// strange are words that mean nothing to people who log in.
var strange = regexp.MustCompile(`(?i)\b(ptags?|principals?|wls|waa|kid|iact|aauth|sso|nonce|tokens?|sessions?|cookies?|upstream|backends?|relying part(y|ies)|protocol|redirect(s|ed)?|request(s|ed)?|parameters?|url|uri|http|xml|header|csrf|xsrf|timestamp)\b`)

// familiar are those that some pages need: how to allow cookies, for who can; and who reads the
// pages for people with programs of their own deals in tokens.
var familiar = map[string]*regexp.Regexp{
	"":               regexp.MustCompile(`(?i)allow cookies for|blocks cookies|please allow cookies|answer requests of this kind`),
	"oauth2server":   regexp.MustCompile(`(?i)\b(tokens?|redirect\w*|request\w*|address(es)?|urls?|uri|https?|parameters?|cookies?|headers?)\b`),
	"wlsbridge/cmd/": regexp.MustCompile(`AAuth|aauth-names`), // a finding about the configuration
}

// strangeWords returns the words of a text of a file's that people do not know.
func strangeWords(path, text string) []string {
	for where, allowed := range familiar {
		if strings.HasPrefix(path, where) {
			text = allowed.ReplaceAllString(text, "")
		}
	}
	return strange.FindAllString(text, -1)
}

// pageWords are the texts of a page that a Go file has: what stands in a composite literal of
// type Page but for its Kind and Code, and what is assigned to Text, Title or appended to them.
func pageWords(t *testing.T, file string) (texts []string) {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	literals := func(n ast.Node) {
		ast.Inspect(n, func(n ast.Node) bool {
			if pair, ok := n.(*ast.KeyValueExpr); ok {
				if key, ok := pair.Key.(*ast.Ident); ok && (key.Name == "Kind" || key.Name == "Code" || key.Name == "Href" || key.Name == "Name" || key.Name == "Type" || key.Name == "Autocomplete") {
					return false
				}
			}
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				text, err := strconv.Unquote(lit.Value)
				require.NoError(t, err)
				texts = append(texts, text)
			}
			return true
		})
	}
	ast.Inspect(parsed, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CompositeLit:
			name := ""
			switch typ := n.Type.(type) {
			case *ast.Ident:
				name = typ.Name
			case *ast.SelectorExpr:
				name = typ.Sel.Name
			}
			if name == "Page" || name == "Link" {
				literals(n)
				return false
			}
		case *ast.AssignStmt:
			for _, left := range n.Lhs {
				if to, ok := left.(*ast.SelectorExpr); ok && (to.Sel.Name == "Text" || to.Sel.Name == "Title") {
					for _, right := range n.Rhs {
						literals(right)
					}
					break
				}
			}
		}
		return true
	})
	return texts
}

var markup = regexp.MustCompile(`(?s)\{\{.*?\}\}|<[^>]*>`)

// Pages speak the language of whoever reads them, in all packages.
func TestPages_words(t *testing.T) {
	checked := 0
	require.NoError(t, filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && (d.Name() == "testdata" || d.Name() == "oidctest" || d.Name() == "model") {
			return fs.SkipDir
		}
		var texts []string
		switch {
		case strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go"):
			texts = pageWords(t, path)
		case strings.HasSuffix(path, ".html"):
			page, err := os.ReadFile(path)
			require.NoError(t, err)
			texts = []string{markup.ReplaceAllString(string(page), " ")}
		}
		for _, text := range texts {
			checked++
			assert.Empty(t, strangeWords(path, text), "%s: %s", path, text)
		}
		return nil
	}))
	assert.Greater(t, checked, 150)
}
