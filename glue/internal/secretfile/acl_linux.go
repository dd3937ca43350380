package secretfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"syscall"
)

// What the kernel says of an access control list (linux/posix_acl_xattr.h).
const (
	aclName    = "system.posix_acl_access"
	aclVersion = 2
	maxACL     = 64 << 10 // bytes; no attribute is longer

	tagUser       = 0x02
	tagOwnerGroup = 0x04
	tagGroup      = 0x08
	tagMask       = 0x10
)

// openPath is a path of an open file that leads to it, whatever its name leads to by now.
func openPath(f *os.File, _ string) string { return fmt.Sprintf("/proc/self/fd/%d", f.Fd()) }

// aclOf returns what a file's access control list grants, but for the owner and others; nil
// where there is no list, and the mode says it all.
func aclOf(path string, group int) ([]grant, error) {
	list := make([]byte, maxACL)
	n, err := syscall.Getxattr(path, aclName, list)
	if errors.Is(err, syscall.ENODATA) || errors.Is(err, syscall.ENOTSUP) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return parseACL(list[:n], group)
}

// parseACL reads a version and entries of tag, permissions and id, all little-endian.
func parseACL(list []byte, group int) ([]grant, error) {
	if len(list) < 4 || len(list)%8 != 4 || binary.LittleEndian.Uint32(list) != aclVersion {
		return nil, errors.New("it has another form than Linux gives it")
	}
	mask := 7
	var grants []grant
	for e := list[4:]; len(e) > 0; e = e[8:] {
		perm, id := int(binary.LittleEndian.Uint16(e[2:])), int(binary.LittleEndian.Uint32(e[4:]))
		switch binary.LittleEndian.Uint16(e) {
		case tagUser:
			grants = append(grants, grant{oneUser, id, perm})
		case tagGroup:
			grants = append(grants, grant{oneGroup, id, perm})
		case tagOwnerGroup:
			grants = append(grants, grant{oneGroup, group, perm})
		case tagMask:
			mask = perm
		}
	}
	for i := range grants {
		grants[i].perm &= mask
	}
	return grants, nil
}
