// Package manual makes manual pages and example configurations from what the programs of this
// module say of themselves: the doc comments of the struct that a configuration file is read
// into, and the text that a program prints as its help.
package manual

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"iter"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
)

// Module is the path that all packages of this module begin with.
const Module = "github.com/ucam-webauth/go-webauth/"

// Table is a table of a configuration file: the whole file, a [table] or a [[table]].
type Table struct {
	Keys []*Key
	// Named says that the keys are up to the operator. Keys is empty then.
	Named bool

	typeName string // of the struct
}

// Key is a key of a table.
type Key struct {
	Name string
	// Doc explains it, in the words of the file; empty where that of a key before it does.
	Doc string
	// Values are what it can be, where these have an explanation each.
	Values []Value
	// Table is there for a table, and Array for a [[table]].
	Table *Table
	Array bool

	field string // of the struct
	raw   string // the doc comment
}

// header returns the line that begins the table that a key is; path is the key's, from the top.
func (k *Key) header(path string) string {
	if k.Array {
		return "[[" + path + "]]"
	}
	return "[" + path + "]"
}

// Value is one of the words that a key can be.
type Value struct {
	Name, Doc string

	constant string // that stands for it in Go
}

// source is a package of this module, read.
type source struct {
	root    string // the module's directory
	files   []*ast.File
	sources map[string]*source // of all packages that were read
}

// Read returns what can be in a configuration file: the fields of a struct, which is in a package
// below root, the directory of this module.
func Read(root, dir, typeName string) (*Table, error) {
	s, err := read(root, dir, map[string]*source{})
	if err != nil {
		return nil, err
	}
	table, err := s.table(typeName)
	if err != nil {
		return nil, err
	}
	inWordsOfFile(table)
	return table, nil
}

func read(root, dir string, sources map[string]*source) (*source, error) {
	if s, ok := sources[dir]; ok {
		return s, nil
	}
	s := &source{root: root, sources: sources}
	sources[dir] = s
	names, err := filepath.Glob(filepath.Join(root, dir, "*.go"))
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		s.files = append(s.files, file)
	}
	if len(s.files) == 0 {
		return nil, fmt.Errorf("%s: there is no package", filepath.Join(root, dir))
	}
	return s, nil
}

// declared yields what the package declares by a keyword, and the file where it stands.
func (s *source) declared(by token.Token) iter.Seq2[ast.Spec, *ast.File] {
	return func(yield func(ast.Spec, *ast.File) bool) {
		for _, file := range s.files {
			for _, decl := range file.Decls {
				general, ok := decl.(*ast.GenDecl)
				if !ok || general.Tok != by {
					continue
				}
				for _, spec := range general.Specs {
					if !yield(spec, file) {
						return
					}
				}
			}
		}
	}
}

// find returns a type of the package.
func (s *source) find(name string) (*ast.TypeSpec, *ast.File) {
	for spec, file := range s.declared(token.TYPE) {
		if t := spec.(*ast.TypeSpec); t.Name.Name == name {
			return t, file
		}
	}
	return nil, nil
}

// resolved is what the type of a field is, behind aliases and names.
type resolved struct {
	ast.Expr
	of   *source // where it is declared
	name string  // the last one; empty for none
}

// resolve follows the names of types. Those that are not of this module stay as they are.
func (s *source) resolve(file *ast.File, e ast.Expr) (resolved, error) {
	switch e := e.(type) {
	case *ast.Ident:
		t, in := s.find(e.Name)
		if t == nil {
			return resolved{e, s, e.Name}, nil
		}
		if _, ok := t.Type.(*ast.StructType); ok {
			return resolved{t.Type, s, e.Name}, nil
		}
		r, err := s.resolve(in, t.Type)
		if t.Assign == token.NoPos {
			r.of, r.name = s, e.Name
		}
		return r, err
	case *ast.SelectorExpr:
		of, err := s.imported(file, e.X.(*ast.Ident).Name)
		if err != nil || of == nil {
			return resolved{e, s, e.Sel.Name}, err
		}
		return of.resolve(nil, e.Sel)
	}
	return resolved{e, s, ""}, nil
}

// imported returns the package that a file knows by a name; nil for one of another module.
func (s *source) imported(file *ast.File, name string) (*source, error) {
	for _, i := range file.Imports {
		path, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			return nil, err
		}
		if dir, ours := strings.CutPrefix(path, Module); ours && (i.Name != nil && i.Name.Name == name || i.Name == nil && filepath.Base(dir) == name) {
			return read(s.root, dir, s.sources)
		}
	}
	return nil, nil
}

// table returns the fields of a struct that have keys.
func (s *source) table(typeName string) (*Table, error) {
	t, file := s.find(typeName)
	if t == nil {
		return nil, fmt.Errorf("there is no type %s", typeName)
	}
	fields, ok := t.Type.(*ast.StructType)
	if !ok {
		return nil, fmt.Errorf("%s is no struct", typeName)
	}
	table := &Table{typeName: typeName}
	for _, f := range fields.Fields.List {
		r, err := s.resolve(file, f.Type)
		if err != nil {
			return nil, err
		}
		if len(f.Names) == 0 { // embedded
			inner, err := r.of.table(r.name)
			if err != nil {
				return nil, err
			}
			table.Keys = append(table.Keys, inner.Keys...)
			continue
		}
		if f.Tag == nil {
			continue
		}
		tag, err := strconv.Unquote(f.Tag.Value)
		if err != nil {
			return nil, err
		}
		name, _, _ := strings.Cut(reflect.StructTag(tag).Get("toml"), ",")
		if name == "" || name == "-" {
			continue
		}
		key := &Key{Name: name, field: f.Names[0].Name, raw: commentOf(f), Values: r.of.values(r.name)}
		if err := key.setTable(file, r); err != nil {
			return nil, err
		}
		table.Keys = append(table.Keys, key)
	}
	return table, nil
}

// commentOf returns the comment above a field, or else behind it.
func commentOf(f *ast.Field) string {
	if f.Doc != nil {
		return f.Doc.Text()
	}
	return f.Comment.Text()
}

// setTable reads the table that a key is, if it is one.
func (k *Key) setTable(file *ast.File, r resolved) (err error) {
	switch t := r.Expr.(type) {
	case *ast.StructType:
		k.Table, err = r.of.table(r.name)
	case *ast.MapType:
		k.Table = &Table{Named: true}
	case *ast.ArrayType:
		element, err := r.of.resolve(file, t.Elt)
		if err != nil {
			return err
		}
		if _, ok := element.Expr.(*ast.StructType); ok {
			k.Array = true
			k.Table, err = element.of.table(element.name)
			return err
		}
	}
	return err
}

// values returns the constants of a type that have comments.
func (s *source) values(typeName string) (all []Value) {
	for spec := range s.declared(token.CONST) {
		c := spec.(*ast.ValueSpec)
		of, ok := c.Type.(*ast.Ident)
		if !ok || of.Name != typeName || c.Doc == nil || len(c.Values) != 1 {
			continue
		}
		if literal, ok := c.Values[0].(*ast.BasicLit); ok {
			if name, err := strconv.Unquote(literal.Value); err == nil {
				all = append(all, Value{Name: name, Doc: c.Doc.Text(), constant: c.Names[0].Name})
			}
		}
	}
	return all
}
