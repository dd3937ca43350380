package htpasswd

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue/internal/program/textfile"
)

// Groups are the members of each group, by its name, in order.
type Groups map[string][]string

// LoadGroups reads a group file: lines such as "editors: spqr1 spqr2", comments and
// blank lines. A group may have several lines. All mistakes are reported, with file
// and line.
func LoadGroups(path string) (Groups, error) {
	g := Groups{}
	if err := textfile.EachLine(path, g.add); err != nil {
		return nil, err
	}
	g.sort()
	return g, nil
}

// add reads one line.
func (g Groups) add(line string) error {
	name, members, found := strings.Cut(line, ":")
	if !found {
		return errors.New(`no colon: write a group as "editors: spqr1 spqr2"`)
	}
	name = strings.TrimRight(name, " \t")
	if err := checkName("group's name", name); err != nil {
		return err
	}
	list := strings.FieldsFunc(members, func(c rune) bool { return c == ' ' || c == '\t' })
	for _, m := range list {
		if err := checkName("member's name", m); err != nil {
			return err
		}
	}
	g[name] = append(g[name], list...)
	return nil
}

// sort puts members in order, for Has.
func (g Groups) sort() {
	for name, members := range g {
		slices.Sort(members)
		g[name] = slices.Compact(members)
	}
}

// Names returns the names of the groups, in order.
func (g Groups) Names() []string { return slices.Sorted(maps.Keys(g)) }

// Of returns the names of the groups that a person is in, in order.
func (g Groups) Of(user string) []string {
	return slices.DeleteFunc(g.Names(), func(group string) bool { return !g.Has(group, user) })
}

// Has reports whether a person is a member of a group; nobody is of one that does not
// exist.
func (g Groups) Has(group, user string) bool {
	_, found := slices.BinarySearch(g[group], user)
	return found
}
