package gateway

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/ucam-webauth/go-webauth/glue/gateway/internal/config"
)

// The kinds of sockets that a gateway listens at. They are the names that sockets passed
// by systemd must have (FileDescriptorName=).
const (
	socketHTTPS    = "https"    // the site
	socketRedirect = "redirect" // plain http, sent on to the site
	socketHTTP     = "http"     // the site, for front servers
	socketAdmin    = "admin"    // for operators
)

// socket is a place to listen at.
type socket struct {
	kind, key string // key of the configuration; empty for one that was passed
	net.Listener
}

// openSockets opens what the configuration says beside what was passed, or nothing.
// Whoever gets passed sockets says with them where to listen, so that a silent
// configuration means nothing more then.
func openSockets(cfg *Config, passed map[string][]net.Listener) ([]socket, error) {
	listen := cfg.listening()
	sockets, problems := passedSockets(cfg, passed)
	if len(sockets) > 0 && cfg.Listen.silent() {
		listen = cfg.Listen
	}
	open := func(kind, key, address string) {
		l, err := listenAt(address, listen.UnixMode)
		if err != nil {
			problems = append(problems, cfg.file.Problem(key, "%v%s", err, listenAdvice(err)))
			return
		}
		sockets = append(sockets, socket{kind, key, l})
	}
	for i, address := range listen.HTTPS {
		open(socketHTTPS, config.Element("listen.https", i+1), address)
	}
	for i, address := range listen.Redirect {
		open(socketRedirect, config.Element("listen.redirect", i+1), address)
	}
	for i, address := range listen.HTTP {
		open(socketHTTP, config.Element("listen.http", i+1), address)
	}
	if listen.Unix != "" {
		open(socketHTTP, "listen.unix", unixPrefix+listen.Unix)
	}
	if cfg.Admin.Listen != "" {
		open(socketAdmin, "admin.listen", cfg.Admin.Listen)
	}
	if !slices.ContainsFunc(sockets, func(s socket) bool { return s.kind == socketHTTPS || s.kind == socketHTTP }) && len(problems) == 0 {
		problems = append(problems, cfg.file.Problem("listen", "nobody can reach the site: set listen.https, listen.http or listen.unix, or pass a socket"))
	}
	if len(problems) > 0 {
		closeSockets(sockets)
		return nil, problems.Sorted()
	}
	return sockets, nil
}

func closeSockets(sockets []socket) {
	for _, s := range sockets {
		_ = s.Close() // nothing was accepted
	}
}

// passedSockets takes over sockets that somebody else has opened.
func passedSockets(cfg *Config, passed map[string][]net.Listener) (sockets []socket, problems Problems) {
	for name, listeners := range passed {
		known := slices.Contains([]string{socketHTTPS, socketRedirect, socketHTTP, socketAdmin}, name)
		if !known {
			problems = append(problems, cfg.file.Problem("listen", "a socket with the name %q was passed: call it https, redirect, http or admin (FileDescriptorName= of a systemd socket unit)", name))
		}
		for _, l := range listeners {
			if l == nil {
				problems = append(problems, cfg.file.Problem("listen", "what was passed as %q is no stream socket", name))
				continue
			}
			sockets = append(sockets, socket{name, "", l})
		}
	}
	return sockets, problems
}

func listenAdvice(err error) string {
	switch {
	case errors.Is(err, syscall.EACCES):
		return ": ports below 1024 need the capability CAP_NET_BIND_SERVICE, or a socket unit of systemd"
	case errors.Is(err, syscall.EADDRINUSE):
		return ": another program listens there already"
	}
	return ""
}

// listenAt listens at an address, or at "unix:" and a path.
func listenAt(address, mode string) (net.Listener, error) {
	path, isPath := strings.CutPrefix(address, unixPrefix)
	if !isPath {
		return net.Listen("tcp", address)
	}
	return listenUnix(path, mode)
}

// adminMode is what the admin socket has where UnixMode says nothing.
const adminMode = "0660"

// listenUnix makes a unix socket. It is made in a directory of its own and moved into
// place when its permissions are right, so that nobody can connect before; what a
// program that has died left there is replaced.
func listenUnix(path, mode string) (net.Listener, error) {
	if mode == "" {
		mode = adminMode
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
