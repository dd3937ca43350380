package axetest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"text/template/parse"
)

// Complete fails the test unless each piece of the templates in a directory, or in its folder
// pages, was on some page: whoever adds a page or a state adds it here too. Templates are
// files that end in .html, and string literals that start a document.
func (p *Pages) Complete(t testing.TB, dir string) {
	t.Helper()
	found, err := templates(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		t.Fatal("no template in ", dir)
	}
	for name, text := range found {
		words, err := words(name, text)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range words {
			if !p.has(w) {
				t.Errorf("%s: no page has: %s", name, w)
			}
		}
	}
}

func (p *Pages) has(text string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, page := range p.list {
		if strings.Contains(page.body, text) {
			return true
		}
	}
	return false
}

// templates returns the templates of a directory by their names.
func templates(dir string) (map[string]string, error) {
	found := map[string]string{}
	for _, pattern := range []string{"*.html", "pages/*.html"} {
		names, _ := filepath.Glob(filepath.Join(dir, pattern)) // the pattern is well-formed
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				return nil, err
			}
			found[name] = string(text)
		}
	}
	sources, _ := filepath.Glob(filepath.Join(dir, "*.go"))
	for _, name := range sources {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
				if text, err := strconv.Unquote(literal.Value); err == nil && strings.Contains(strings.ToLower(text), "<html "+"lang") {
					found[name] = text
				}
			}
			return true
		})
	}
	return found, nil
}

// words returns the pieces of text of a template, between what it puts in.
func words(name, text string) (all []string, err error) {
	trees := map[string]*parse.Tree{}
	tree := parse.New(name)
	tree.Mode = parse.SkipFuncCheck
	if _, err := tree.Parse(text, "", "", trees); err != nil {
		return nil, err
	}
	var walk func(n parse.Node)
	branch := func(n *parse.BranchNode) {
		walk(n.List)
		walk(n.ElseList)
	}
	walk = func(n parse.Node) {
		switch n := n.(type) {
		case *parse.ListNode:
			if n != nil {
				for _, n := range n.Nodes {
					walk(n)
				}
			}
		case *parse.IfNode:
			branch(&n.BranchNode)
		case *parse.RangeNode:
			branch(&n.BranchNode)
		case *parse.WithNode:
			branch(&n.BranchNode)
		case *parse.TextNode:
			if text := strings.TrimSpace(string(n.Text)); text != "" {
				all = append(all, text)
			}
		}
	}
	for _, tree := range trees {
		walk(tree.Root)
	}
	return all, nil
}
