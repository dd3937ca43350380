// Package listen opens the sockets that a server listens at.
package listen

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// Unix begins an address that is the path of a unix socket.
const Unix = "unix:"

// At listens at an address, or at "unix:" and a path.
func At(address, mode string) (net.Listener, error) {
	path, isPath := strings.CutPrefix(address, Unix)
	if !isPath {
		return net.Listen("tcp", address)
	}
	return listenUnix(path, mode)
}

// defaultMode is what a socket has where nothing is said.
const defaultMode = "0660"

// listenUnix makes a unix socket. It is made in a directory of its own and moved into
// place when its permissions are right, so that nobody can connect before; what a
// program that has died left there is replaced.
func listenUnix(path, mode string) (net.Listener, error) {
	if mode == "" {
		mode = defaultMode
	}
	bits, err := strconv.ParseUint(mode, 8, 32)
	if err != nil {
		return nil, err
	}
	if err := checkVacant(path); err != nil {
		return nil, err
	}
	private, err := os.MkdirTemp(filepath.Dir(path), ".wls")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(private)
	made := filepath.Join(private, "s")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: made, Net: "unix"})
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false) // it would remove what it made, not what it has become
	err = os.Chmod(made, os.FileMode(bits))
	if err == nil {
		err = os.Rename(made, path)
	}
	if err != nil {
		_ = l.Close()
		return nil, err
	}
	info, err := os.Lstat(path)
	if err != nil {
		_ = l.Close()
		return nil, err
	}
	return &unixListener{UnixListener: l, path: path, info: info}, nil
}

// checkVacant makes sure that at path is nothing, or a socket that nobody serves.
func checkVacant(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().Type() != os.ModeSocket {
		return fmt.Errorf("%s is there, and no socket: remove it, or choose another path", path)
	}
	if conn, err := net.Dial("unix", path); err == nil {
		_ = conn.Close()
		return fmt.Errorf("%s: %w", path, syscall.EADDRINUSE)
	}
	return nil
}

// unixListener removes its socket at the end, unless another one has taken its place.
type unixListener struct {
	*net.UnixListener
	path string
	info os.FileInfo
	once sync.Once
}

func (l *unixListener) Close() error {
	l.once.Do(func() {
		if info, err := os.Lstat(l.path); err == nil && os.SameFile(info, l.info) {
			_ = os.Remove(l.path) // best effort: the next program replaces it
		}
	})
	return l.UnixListener.Close()
}

// Addr is where people find it.
func (l *unixListener) Addr() net.Addr { return &net.UnixAddr{Name: l.path, Net: "unix"} }
