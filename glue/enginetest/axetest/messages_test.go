package axetest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"html/template"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/site"
)

const root = "../../.."

// long stands for what a page says of somebody or something: a word that nobody can break.
const long = "a-very-long-name-of-somebody-or-something-that-has-no-place-where-it-could-be-broken"

// sources calls a function for each directory of the project, with the Go files in it that
// are no tests.
func sources(t *testing.T, each func(dir string, files []*ast.File)) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		if name := d.Name(); path != root && strings.HasPrefix(name, ".") || name == "testdata" || name == "node_modules" {
			return filepath.SkipDir
		}
		names, err := filepath.Glob(filepath.Join(path, "*.go"))
		var files []*ast.File
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
			require.NoError(t, err)
			files = append(files, file)
		}
		each(path, files)
		return err
	}))
}

// TestMessages looks at every site.Page that stands in the source, with links and a reference.
func TestMessages(t *testing.T) {
	soc, err := site.New(site.Config{BaseURL: "https://soc.example", SiteName: long[:60]})
	require.NoError(t, err)
	var pages Pages
	show := func(name string, p site.Page) {
		w := httptest.NewRecorder()
		soc.Show(w, httptest.NewRequest(http.MethodGet, "/", nil), p)
		pages.AddRecorded(name, w)
	}
	n := 0
	sources(t, func(dir string, files []*ast.File) {
		for _, file := range files {
			ast.Inspect(file, func(node ast.Node) bool {
				if p, ok := message(file.Name.Name, node); ok {
					n++
					show(filepath.Base(dir)+" "+p.Kind, p)
				}
				return true
			})
		}
	})
	require.Greater(t, n, 90, "pages in the source")

	link := site.Link{Text: "Try again", Href: "https://soc.example/"}
	inNewTab := site.Link{Text: "Log in again", Href: "https://soc.example/", NewTab: true}
	form := site.Form{Action: "/", Button: "Send", Hidden: map[string]string{"a": "b"}, Fields: []site.Field{
		{Name: "user", Label: "User", Type: "text", Value: long, Autocomplete: "username"},
		{Name: "password", Label: "Password", Type: "password", Autocomplete: "current-password"}, {Name: "code", Label: "Code", Type: "text"}}}
	for name, p := range map[string]site.Page{
		"somebody":           {Principal: long, Links: []site.Link{link}},
		"a form":             {Form: &form, Links: []site.Link{link}},
		"a form, and before": {Form: &site.Form{Action: "/", Button: "Continue"}, Links: []site.Link{inNewTab}},
		"a mistake":          {Status: http.StatusUnprocessableEntity, Form: &form, Ref: "ABCDEFGH"},
		"in a frame":         {Framed: true, Links: []site.Link{link}},
		"in its place":       {Kind: "go-back", Links: []site.Link{link}},
		"beside others":      {Nav: []site.Link{{Text: "This", Href: "/", Current: true}, link, {Text: "Log out", Href: "/logout"}}, Principal: long, Body: template.HTML("<p>Text.</p>")},
	} {
		if p.Status == 0 {
			p.Status = http.StatusOK
		}
		p.Title, p.Text = "A page with "+name, []string{"What there is to say."}
		show(name, p)
	}
	pages.Check(t)
	pages.Complete(t, root+"/glue/site")
}

// message returns the page of a composite literal, and whether it is one.
func message(pkg string, node ast.Node) (p site.Page, ok bool) {
	literal, _ := node.(*ast.CompositeLit)
	if literal == nil || len(literal.Elts) == 0 {
		return p, false
	}
	switch kind := literal.Type.(type) {
	case *ast.SelectorExpr:
		x, _ := kind.X.(*ast.Ident)
		ok = x != nil && x.Name == "site" && kind.Sel.Name == "Page"
	case *ast.Ident:
		ok = pkg == "site" && kind.Name == "Page"
	}
	if !ok {
		return p, false
	}
	p = site.Page{Status: http.StatusForbidden, Ref: "ABCDEFGH", Links: []site.Link{
		{Text: "Try again", Href: "https://soc.example/a"}, {Text: "Go to https://soc.example/" + long, Href: "https://soc.example/"}}}
	for _, e := range literal.Elts {
		field := e.(*ast.KeyValueExpr)
		switch field.Key.(*ast.Ident).Name {
		case "Kind":
			p.Kind = text(field.Value)
		case "Title":
			p.Title = text(field.Value)
		case "Text":
			p.Text = texts(field.Value)
		}
	}
	return p, p.Title != "" // else it is none that anybody is shown
}

// text returns what an expression says, with long in place of what only a program knows.
func text(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if s, err := strconv.Unquote(e.Value); err == nil {
			return s
		}
	case *ast.BinaryExpr:
		return text(e.X) + text(e.Y)
	}
	return long
}

func texts(e ast.Expr) (all []string) {
	if list, ok := e.(*ast.CompositeLit); ok {
		for _, e := range list.Elts {
			all = append(all, text(e))
		}
		return all
	}
	return []string{long}
}

// Whatever has templates has a test that looks at all that comes of them.
func TestTemplatesAreLookedAt(t *testing.T) {
	looks := regexp.MustCompile(`\.Complete\(t, "([^"]*)"\)|\.Complete\(t, root\+"/([^"]*)"\)`)
	with, looked := map[string]bool{}, map[string]bool{}
	sources(t, func(dir string, files []*ast.File) {
		found, err := templates(dir)
		require.NoError(t, err)
		if len(files) > 0 && len(found) > 0 {
			with[filepath.Clean(dir)] = true
		}
		tests, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
		require.NoError(t, err)
		for _, name := range tests {
			source, err := os.ReadFile(name)
			require.NoError(t, err)
			for _, m := range looks.FindAllStringSubmatch(string(source), -1) {
				if m[2] != "" {
					looked[filepath.Join(root, m[2])] = true
				} else {
					looked[filepath.Join(dir, m[1])] = true
				}
			}
		}
	})
	require.NotEmpty(t, with)
	for dir := range with {
		assert.True(t, looked[dir], "no test looks at the pages of %s", dir)
	}
}
