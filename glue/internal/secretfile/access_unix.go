//go:build unix

package secretfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// Permissions, as they stand in a mode and in an access control list.
const (
	mayRead   = 4
	mayWrite  = 2
	mayPass   = 1 // a directory
	maskGroup = 0o070
)

// grant is what somebody beside the owner may do with a file.
type grant struct {
	to   party
	id   int // of a user or group
	perm int
}

// party is whom a grant is for.
type party string

const (
	oneUser   party = "user"
	oneGroup  party = "group"
	everybody party = "everybody"
)

// access is who may do what with a file or directory.
type access struct {
	owner  int
	mode   fs.FileMode
	grants []grant
}

// accessOf returns that of the file that info is about. Its path serves to look at its access
// control list.
func accessOf(info fs.FileInfo, path string) (*access, error) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil, errors.New("its owner cannot be found out")
	}
	perm := int(info.Mode().Perm())
	a := &access{owner: int(st.Uid), mode: info.Mode().Perm()}
	// With a list, the group's bits bound what all of its entries grant: none, nothing.
	if perm&maskGroup != 0 {
		entries, err := aclOf(path, int(st.Gid))
		if err != nil {
			return nil, fmt.Errorf("its access control list cannot be read: %v", err)
		}
		if entries == nil {
			entries = []grant{{oneGroup, int(st.Gid), perm >> 3 & 7}}
		}
		a.grants = entries
	}
	a.grants = append(a.grants, grant{everybody, 0, perm & 7})
	return a, nil
}

// process is who the program runs as.
type process struct {
	uid    int
	groups []int
	// site is, for root, who else a file is for: whom the site runs as, while root checks its
	// configuration. It is 0 for nobody.
	site int
}

func thisProcess() process {
	groups, _ := os.Getgroups() // none is the strictest reading
	return process{uid: os.Geteuid(), groups: append(groups, os.Getegid())}
}

// is reports whether a user is this process's own or root, who can do everything anyway.
func (p process) is(uid int) bool { return uid == 0 || uid == p.uid || uid == p.site }

// onlyUser returns the one user beside root that a file belongs to or names; 0 for none or several.
func (a *access) onlyUser() int {
	only := a.owner
	for _, g := range a.grants {
		switch {
		case g.to != oneUser || g.perm&(mayRead|mayWrite) == 0 || g.id == 0 || g.id == only:
		case only != 0:
			return 0
		default:
			only = g.id
		}
	}
	return only
}

// writers returns those beside the owner, root and the process's user who may write a file.
// Groups of theirs are among them: people come and go there, who are not to choose a secret.
func (p process) writers(a *access) []grant {
	return slices.DeleteFunc(slices.Clone(a.grants), func(g grant) bool { return g.perm&mayWrite == 0 || g.to == oneUser && p.is(g.id) })
}

// strangers returns those beside the owner who have a permission, and are neither root, nor the
// process's user, nor a group of theirs.
func (p process) strangers(a *access, perm int) []grant {
	return slices.DeleteFunc(slices.Clone(a.grants), func(g grant) bool {
		return g.perm&perm == 0 || g.to == oneUser && p.is(g.id) || g.to == oneGroup && (g.id == 0 || slices.Contains(p.groups, g.id))
	})
}

// check looks at the open file, so that what is checked is what is read.
func check(f *os.File, path string) (warning string, err error) {
	info, err := f.Stat()
	if err != nil {
		return "", Cause(err)
	}
	if !info.Mode().IsRegular() {
		return "", errors.New("it is not a regular file any more")
	}
	a, err := accessOf(info, openPath(f, path))
	if err != nil {
		return "", err
	}
	p := thisProcess()
	if p.uid == 0 {
		p.site = a.onlyUser()
	}
	if !p.is(a.owner) {
		return "", fmt.Errorf("it belongs to %s, who can read and change it: run: %s", name(oneUser, a.owner), p.narrow(a, path))
	}
	if who := p.writers(a); len(who) > 0 {
		return "", fmt.Errorf("%s can write it (mode %04o): run: %s; if they may have done so, replace what it holds", names(who), a.mode, p.narrow(a, path))
	}
	if who := p.strangers(a, mayRead); len(who) > 0 {
		return p.shielded(f, path, info, a, who)
	}
	if p.site != 0 {
		return fmt.Sprintf("is there for %s too: right if that is whom the site runs as, else run: chown root %s; chmod 600 %s", name(oneUser, p.site), path, path), nil
	}
	return "", nil
}

// shielded decides about a file that others may read: it returns a warning if something keeps
// them from it.
func (p process) shielded(f *os.File, path string, info fs.FileInfo, a *access, strangers []grant) (warning string, err error) {
	who, mend := names(strangers), p.narrow(a, path)
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", Cause(err)
	}
	if now, err := os.Stat(real); err != nil || !os.SameFile(info, now) {
		return "", errors.New("it was replaced while it was read: try again")
	}
	switch dir := p.privateAbove(real); {
	case dir != "":
		return fmt.Sprintf("may be read by %s (mode %04o), and only %s keeps them from it: run: %s; %s", who, a.mode, dir, mend, byPlatform), nil
	case isMounted(f, real):
		return fmt.Sprintf("may be read by %s (mode %04o), on a mount where nobody can change that: right if the program is alone in its container; %s", who, a.mode, byPlatform), nil
	}
	if p.uid == 0 && who != string(everybody) {
		mend += ", or run this as the user that the site runs as, if that is who is meant" // "sudo wlsgateway check"
	}
	return "", fmt.Errorf("%s can read it (mode %04o): run: %s; if they may have done so, replace what it holds; %s", who, a.mode, mend, byPlatform)
}

// byPlatform is what to do where a platform makes the file.
const byPlatform = "where a platform puts it there, have that give it fewer readers (systemd: LoadCredential=; " +
	"Docker: uid and mode 0400 of the service's secret; Kubernetes: defaultMode 0400, or 0440 with fsGroup)"

// privateAbove returns the directory above a file, all the way up, that lets nobody pass but
// root, the process's user and groups of theirs; empty if there is none.
func (p process) privateAbove(path string) string {
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil {
			return ""
		}
		a, err := accessOf(info, dir)
		if err != nil {
			return ""
		}
		if p.is(a.owner) && len(p.strangers(a, mayPass)) == 0 {
			return dir
		}
		if dir == filepath.Dir(dir) {
			return ""
		}
	}
}

// narrow returns the commands that leave a file to the process alone.
func (p process) narrow(a *access, path string) string {
	if a.owner == p.uid || p.uid == 0 {
		return "chmod 600 " + path
	}
	return fmt.Sprintf("chown %d %s; chmod 600 %s", p.uid, path, path)
}

// unreadable is the error of a file that cannot be opened.
func unreadable(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w to %s, which this program runs as: let the file belong to it, or to a group of its", Cause(err), name(oneUser, os.Geteuid()))
	}
	return Cause(err)
}

// names lists whom grants are for.
func names(grants []grant) string {
	var list []string
	for _, g := range grants {
		if g.to == everybody {
			return string(everybody) // and with them all the others
		}
		list = append(list, name(g.to, g.id))
	}
	return strings.Join(list, ", ")
}

// name returns what people call a user or a group.
func name(kind party, id int) string {
	n := strconv.Itoa(id)
	if u, err := user.LookupId(n); kind == oneUser && err == nil {
		return fmt.Sprintf("user %s (%s)", n, u.Username)
	}
	if g, err := user.LookupGroupId(n); kind == oneGroup && err == nil {
		return fmt.Sprintf("group %s (%s)", n, g.Name)
	}
	return string(kind) + " " + n
}

// adopt gives an open file that root has made to the owner of a directory.
func adopt(f *os.File, dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return Cause(err)
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || os.Geteuid() != 0 || st.Uid == 0 {
		return nil
	}
	return Cause(f.Chown(int(st.Uid), int(st.Gid)))
}
