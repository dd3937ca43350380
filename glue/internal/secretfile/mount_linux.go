package secretfile

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// What statfs says (linux/magic.h, linux/statfs.h).
const (
	tmpfs    = 0x01021994
	ramfs    = 0x858458f6
	readOnly = 0x0001
)

// sharedMounts are file systems in memory that all programs of a machine use, where a service
// that systemd keeps from writing (ProtectSystem=strict) sees them read-only.
var sharedMounts = []string{"/run", "/run/lock", "/tmp", "/var/tmp", "/dev/shm"}

// isMounted reports whether a platform has mounted a file, or the directory of its secrets, for
// this program: read-only, and as the file alone or in memory. A read-only disk is no such
// thing: all of a machine can see that.
func isMounted(f *os.File, path string) bool {
	var fs syscall.Statfs_t
	if err := syscall.Fstatfs(int(f.Fd()), &fs); err != nil || fs.Flags&readOnly == 0 {
		return false
	}
	root := mountOf(path)
	if root == path {
		return true
	}
	inMemory := uint32(fs.Type) == tmpfs || uint32(fs.Type) == ramfs
	return inMemory && !isShared(root)
}

func isShared(root string) bool {
	for _, dir := range sharedMounts {
		if root == dir {
			return true
		}
	}
	return root == "/" || root == "" || strings.HasPrefix(root, "/run/user/")
}

// mountOf returns where the file system of a file begins, which is at the file itself where that
// alone was mounted; empty if it cannot be found out.
func mountOf(path string) string {
	dev, ok := deviceOf(path)
	for ok && path != "/" {
		up := filepath.Dir(path)
		above, known := deviceOf(up)
		if !known {
			return ""
		}
		if above != dev {
			return path
		}
		path = up
	}
	return path
}

func deviceOf(path string) (dev uint64, ok bool) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return uint64(st.Dev), true // its type differs between processors
}

// IsReadOnly reports whether nobody can make a file in a directory, because of its mount.
func IsReadOnly(dir string) bool {
	var fs syscall.Statfs_t
	return syscall.Statfs(dir, &fs) == nil && fs.Flags&readOnly != 0
}
