package serve

import (
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue/internal/program/config"
	"github.com/ucam-webauth/go-webauth/glue/internal/program/listen"
	"github.com/ucam-webauth/go-webauth/webauth"
)

func (c *Config) checkListen(k *Report) {
	used := map[string]string{} // the key of each address
	for _, at := range c.Listen.addresses(c.Admin.Listen) {
		path, ok := strings.CutPrefix(at.address, listen.Unix)
		if ok && (at.key == "listen.unix" || at.key == "admin.listen") { // the lists are of TCP addresses
			if path == "" {
				k.Errorf(at.key, "the path is missing: write it such as unix:/run/%s/admin.sock", c.command())
			}
			k.checkUsed(at, used)
			continue
		}
		k.checkAddress(at, used)
		if at.kind == socketHTTP && !IsLoopbackAddress(at.address) && len(c.Front.Proxies) == 0 {
			k.Errorf(at.key, "%q can be reached from other machines, without encryption: use a loopback address, or name the front servers in front.proxies", at.address)
		}
	}
	c.checkAdminHosts(k)
	c.checkFronts(k)
	c.checkSocketMode(k)
	c.checkCertificates(k)
}

// checkAdminHosts checks that names are such as a Host header can have, without a port.
func (c *Config) checkAdminHosts(k *Report) {
	for i, name := range c.Admin.Hosts {
		if origin, err := webauth.Origin("http://" + name); err != nil || HostOf(origin) != strings.ToLower(name) || strings.Contains(name, ":") {
			k.Errorf(config.Element("admin.hosts", i+1), "%q: write the name of a host, without scheme and port, such as gateway.internal", name)
		}
	}
}

// checkUsed checks that an address is not used twice.
func (k *Report) checkUsed(at address, used map[string]string) {
	if other, ok := used[at.address]; ok {
		k.Errorf(at.key, "%s is the same: an address can be listened at once", other)
	}
	used[at.address] = at.key
}

// checkFronts warns of listeners that nobody, or too many, may come in by.
func (c *Config) checkFronts(k *Report) {
	https := strings.HasPrefix(c.BaseURL, "https:")
	if l := c.Listening(false); len(l.HTTP) > 0 && https && len(c.Front.Proxies) == 0 {
		k.Warnf("listen.http", "no front server is named in front.proxies, so everything that comes here is redirected to %s", c.BaseURL)
	}
	if c.Listen.Unix != "" && https && !c.Front.UnixSocket {
		k.Warnf("listen.unix", "front.unix-socket is not set, so everything that comes here is redirected to %s", c.BaseURL)
	}
	if mode, err := strconv.ParseUint(c.Listen.UnixMode, 8, 32); err == nil && mode&0o002 != 0 {
		k.Warnf("listen.unix-mode", "everybody on this machine can pretend to be the front server")
	}
	if a := c.Admin.Listen; a != "" && !strings.HasPrefix(a, listen.Unix) && !IsLoopbackAddress(a) {
		k.Warnf("admin.listen", "%s can be reached from other machines: see that only operators can", a)
	}
}

// checkAddress checks an address to listen at, and that it is not used twice.
func (k *Report) checkAddress(at address, used map[string]string) {
	key, address := at.key, at.address
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		k.Errorf(key, "%q is no address: write it such as :443, 127.0.0.1:8080 or [::1]:8080", address)
		return
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		k.Errorf(key, "%q: the port must be a number of at most 65535", address)
		return
	}
	if host != "" && !hostName.MatchString(host) {
		if _, err := netip.ParseAddr(host); err != nil {
			k.Errorf(key, "%q: %q is neither a name nor an address", address, host)
			return
		}
	}
	if n != 0 { // port 0 is another free one each time
		k.checkUsed(at, used)
	}
}

// hostName is a name that may be in DNS.
var hostName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$`)

func (c *Config) checkSocketMode(k *Report) {
	mode, err := strconv.ParseUint(c.Listen.UnixMode, 8, 32)
	switch {
	case c.Listen.UnixMode == "":
	case c.Listen.Unix == "":
		k.Errorf("listen.unix-mode", "this is for listen.unix, which is not set")
	case err != nil || mode > 0o777 || mode&0o600 != 0o600:
		k.Errorf("listen.unix-mode", `%q: write permissions such as "0660"; the owner needs both`, c.Listen.UnixMode)
	}
}

func (c *Config) checkCertificates(k *Report) {
	for i, pair := range c.Listen.Certificates {
		key := config.Element("listen.certificate", i+1)
		k.Need(key+".cert", pair.Cert, "a PEM file with the certificate and those that lead to it")
		k.Need(key+".key", pair.Key, "a PEM file with the certificate's private key")
		for j, other := range c.Listen.Certificates[:i] {
			if pair == other && pair.Cert != "" {
				k.Errorf(key, "%s is the same", config.Element("listen.certificate", j+1))
			}
		}
	}
}

// IsLoopbackAddress reports whether only this machine can reach what listens at an
// address.
func IsLoopbackAddress(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// IsWide reports whether a range has more addresses than one network of people's own.
func IsWide(r netip.Prefix) bool {
	if r.Addr().IsLoopback() || r.Addr().IsPrivate() {
		return false
	}
	return r.Addr().Is4() && r.Bits() < 16 || r.Addr().Is6() && r.Bits() < 32
}

// IsLoopbackHost reports whether a host is this machine.
func IsLoopbackHost(host string) bool { return IsLoopbackAddress(net.JoinHostPort(host, "0")) }
