package manual

import "fmt"

// Page5 returns the manual page of a configuration file.
func (f *File) Page5(about About, introduction string) (string, error) {
	name := about.Program + ".toml"
	w := pageWriter{file: f}
	w.title(name, 5, about)
	w.name(name, "configuration of "+about.Program+"(1)")
	w.section("Description")
	w.text(introduction, ".PP")
	w.section("Keys at the top of the file")
	if err := w.keys(f.Table, ""); err != nil {
		return "", err
	}
	if err := w.tables(f.Table, ""); err != nil {
		return "", err
	}
	w.seeAlso(about.SeeAlso)
	return w.String(), nil
}

type pageWriter struct {
	roff
	file *File
}

// keys writes those that are no tables. Those that have one explanation stand above it.
func (w *pageWriter) keys(t *Table, prefix string) error {
	var explanation *Key
	for _, k := range t.Keys {
		if k.Table != nil {
			continue
		}
		tag := ".TQ"
		if k.Doc != "" {
			w.explain(explanation)
			explanation, tag = k, ".TP"
		}
		text, isDefault, err := w.file.setting(prefix + k.Name)
		if err != nil {
			return err
		}
		if _, needed := w.file.Smallest[prefix+k.Name]; needed || !isDefault {
			text += ", for example"
		}
		fmt.Fprintf(w, "%s\n\\fB%s\\fR = %s\n", tag, escaped(k.Name), escaped(text))
	}
	w.explain(explanation)
	return nil
}

func (w *pageWriter) explain(k *Key) {
	if k == nil {
		return
	}
	w.text(k.Doc, ".IP")
	for _, v := range k.Values {
		w.WriteString(".IP\n")
		w.text(v.Doc, ".IP")
	}
}

func (w *pageWriter) tables(t *Table, prefix string) error {
	for _, k := range t.Keys {
		if k.Table == nil {
			continue
		}
		path := prefix + k.Name
		fmt.Fprintf(w, ".SH %s\n", escaped(k.header(path)))
		w.text(k.Doc, ".PP")
		if k.Table.Named {
			continue
		}
		if err := w.keys(k.Table, path+"."); err != nil {
			return err
		}
		if err := w.tables(k.Table, path+"."); err != nil {
			return err
		}
	}
	return nil
}
