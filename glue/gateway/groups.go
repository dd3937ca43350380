package gateway

import (
	"errors"
	"slices"
	"strings"
)

// groups are the members of each group, by its name, in order.
type groups map[string][]string

// loadGroups reads a group file: lines such as "editors: spqr1 spqr2", comments and
// blank lines. A group may have several lines. All mistakes are reported, with file
// and line.
func loadGroups(path string) (groups, error) {
	g := groups{}
	if err := readLines(path, g.add); err != nil {
		return nil, err
	}
	g.sort()
	return g, nil
}

// add reads one line.
func (g groups) add(line string) error {
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

// sort puts members in order, for has.
func (g groups) sort() {
	for name, members := range g {
		slices.Sort(members)
		g[name] = slices.Compact(members)
	}
}

// has reports whether a person is a member of a group; nobody is of one that does not
// exist.
func (g groups) has(group, user string) bool {
	_, found := slices.BinarySearch(g[group], user)
	return found
}
