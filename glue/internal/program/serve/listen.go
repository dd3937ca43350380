package serve

import (
	"errors"
	"net"
	"net/http"
	"slices"
	"syscall"

	"github.com/ucam-webauth/go-webauth/glue/internal/program/config"
	"github.com/ucam-webauth/go-webauth/glue/internal/program/listen"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

// The kinds of sockets that a program listens at. They are the names that sockets passed
// by systemd must have (FileDescriptorName=).
const (
	socketHTTPS    = "https"    // the site
	socketRedirect = "redirect" // plain http, sent on to the site
	socketHTTP     = "http"     // the site, for front servers
	socketAdmin    = "admin"    // for operators
)

// socket is an open listener, which kind, and what answers there.
type socket struct {
	kind, key string // key of the configuration; empty for one that was passed
	net.Listener
	server *http.Server
}

// openSockets opens what the configuration says beside what was passed, or nothing.
func openSockets(cfg *Config, passed map[string][]net.Listener) ([]socket, error) {
	var found site.Findings
	sockets := passedSockets(&found, passed)
	where := cfg.Listening(len(sockets) > 0)
	for _, at := range where.addresses(cfg.Admin.Listen) {
		l, err := listen.At(at.address, where.UnixMode)
		if err != nil {
			found.Errorf(at.key, "%v%s", err, listenAdvice(err))
			continue
		}
		sockets = append(sockets, socket{kind: at.kind, key: at.key, Listener: l})
	}
	serves := func(s socket) bool { return s.kind == socketHTTPS || s.kind == socketHTTP }
	if !slices.ContainsFunc(sockets, serves) && len(found) == 0 {
		found.Errorf("listen", "nobody can reach the site: set listen.https, listen.http or listen.unix, or pass a socket")
	}
	if err := cfg.File.Err(found); err != nil {
		_ = closeSockets(sockets) // nothing was accepted
		return nil, err
	}
	return sockets, nil
}

// address is one to listen at.
type address struct{ kind, key, address string }

// addresses returns where to listen, with the admin listener's address last.
func (l *Listen) addresses(admin string) []address {
	var all []address
	for _, f := range []struct {
		kind, key string
		addresses []string
	}{{socketHTTPS, "listen.https", l.HTTPS}, {socketRedirect, "listen.redirect", l.Redirect}, {socketHTTP, "listen.http", l.HTTP}} {
		for i, a := range f.addresses {
			all = append(all, address{f.kind, config.Element(f.key, i+1), a})
		}
	}
	if l.Unix != "" {
		all = append(all, address{socketHTTP, "listen.unix", listen.Unix + l.Unix})
	}
	if admin != "" {
		all = append(all, address{socketAdmin, "admin.listen", admin})
	}
	return all
}

func closeSockets(sockets []socket) error {
	var errs []error
	for _, s := range sockets {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}

// passedSockets takes over sockets that somebody else has opened.
func passedSockets(found *site.Findings, passed map[string][]net.Listener) (sockets []socket) {
	for name, listeners := range passed {
		if !slices.Contains([]string{socketHTTPS, socketRedirect, socketHTTP, socketAdmin}, name) {
			found.Errorf("listen", "a socket with the name %q was passed: call it https, redirect, http or admin (FileDescriptorName= of a systemd socket unit)", name)
		}
		for _, l := range listeners {
			if l == nil {
				found.Errorf("listen", "what was passed as %q is no stream socket", name)
				continue
			}
			sockets = append(sockets, socket{kind: name, Listener: l})
		}
	}
	return sockets
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
