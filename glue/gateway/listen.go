package gateway

import (
	"errors"
	"net"
	"slices"
	"syscall"

	"github.com/ucam-webauth/go-webauth/glue/gateway/internal/config"
	"github.com/ucam-webauth/go-webauth/glue/gateway/internal/listen"
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
	where := cfg.listening()
	sockets, problems := passedSockets(cfg, passed)
	if len(sockets) > 0 && cfg.Listen.silent() {
		where = cfg.Listen
	}
	open := func(kind, key, address string) {
		l, err := listen.At(address, where.UnixMode)
		if err != nil {
			problems = append(problems, cfg.file.Problem(key, "%v%s", err, listenAdvice(err)))
			return
		}
		sockets = append(sockets, socket{kind, key, l})
	}
	for i, address := range where.HTTPS {
		open(socketHTTPS, config.Element("listen.https", i+1), address)
	}
	for i, address := range where.Redirect {
		open(socketRedirect, config.Element("listen.redirect", i+1), address)
	}
	for i, address := range where.HTTP {
		open(socketHTTP, config.Element("listen.http", i+1), address)
	}
	if where.Unix != "" {
		open(socketHTTP, "listen.unix", listen.Unix+where.Unix)
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
