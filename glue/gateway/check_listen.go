package gateway

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

func (k *checker) checkListen() {
	used := map[string]string{} // the key of each address
	for _, at := range k.Listen.addresses(k.Admin.Listen) {
		path, ok := strings.CutPrefix(at.address, listen.Unix)
		if ok && (at.key == "listen.unix" || at.key == "admin.listen") { // the lists are of TCP addresses
			if path == "" {
				k.Errorf(at.key, "the path is missing: write it such as unix:/run/wlsgateway/admin.sock")
			}
			k.checkUsed(at, used)
			continue
		}
		k.checkAddress(at, used)
		if at.kind == socketHTTP && !isLoopbackAddress(at.address) && len(k.Front.Proxies) == 0 {
			k.Errorf(at.key, "%q can be reached from other machines, without encryption: use a loopback address, or name the front servers in front.proxies", at.address)
		}
	}
	k.checkAdminHosts()
	k.checkFronts()
	k.checkSocketMode()
	k.checkCertificates()
}

// checkAdminHosts checks that names are such as a Host header can have, without a port.
func (k *checker) checkAdminHosts() {
	for i, name := range k.Admin.Hosts {
		if origin, err := webauth.Origin("http://" + name); err != nil || hostOf(origin) != strings.ToLower(name) || strings.Contains(name, ":") {
			k.Errorf(config.Element("admin.hosts", i+1), "%q: write the name of a host, without scheme and port, such as gateway.internal", name)
		}
	}
}

// checkUsed checks that an address is not used twice.
func (k *checker) checkUsed(at address, used map[string]string) {
	if other, ok := used[at.address]; ok {
		k.Errorf(at.key, "%s is the same: an address can be listened at once", other)
	}
	used[at.address] = at.key
}

// checkFronts warns of listeners that nobody, or too many, may come in by.
func (k *checker) checkFronts() {
	https := strings.HasPrefix(k.BaseURL, "https:")
	if l := k.listening(false); len(l.HTTP) > 0 && https && len(k.Front.Proxies) == 0 {
		k.Warnf("listen.http", "no front server is named in front.proxies, so everything that comes here is redirected to %s", k.BaseURL)
	}
	if k.Listen.Unix != "" && https && !k.Front.UnixSocket {
		k.Warnf("listen.unix", "front.unix-socket is not set, so everything that comes here is redirected to %s", k.BaseURL)
	}
	if mode, err := strconv.ParseUint(k.Listen.UnixMode, 8, 32); err == nil && mode&0o002 != 0 {
		k.Warnf("listen.unix-mode", "everybody on this machine can pretend to be the front server")
	}
	if a := k.Admin.Listen; a != "" && !strings.HasPrefix(a, listen.Unix) && !isLoopbackAddress(a) {
		k.Warnf("admin.listen", "%s can be reached from other machines: see that only operators can", a)
	}
}

// checkAddress checks an address to listen at, and that it is not used twice.
func (k *checker) checkAddress(at address, used map[string]string) {
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

func (k *checker) checkSocketMode() {
	mode, err := strconv.ParseUint(k.Listen.UnixMode, 8, 32)
	switch {
	case k.Listen.UnixMode == "":
	case k.Listen.Unix == "":
		k.Errorf("listen.unix-mode", "this is for listen.unix, which is not set")
	case err != nil || mode > 0o777 || mode&0o600 != 0o600:
		k.Errorf("listen.unix-mode", `%q: write permissions such as "0660"; the owner needs both`, k.Listen.UnixMode)
	}
}

func (k *checker) checkCertificates() {
	for i, c := range k.Listen.Certificates {
		key := config.Element("listen.certificate", i+1)
		k.need(key+".cert", c.Cert, "a PEM file with the certificate and those that lead to it")
		k.need(key+".key", c.Key, "a PEM file with the certificate's private key")
		for j, other := range k.Listen.Certificates[:i] {
			if c == other && c.Cert != "" {
				k.Errorf(key, "%s is the same", config.Element("listen.certificate", j+1))
			}
		}
	}
}

// isLoopbackAddress reports whether only this machine can reach what listens at an
// address.
func isLoopbackAddress(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// isWide reports whether a range has more addresses than one network of people's own.
func isWide(r netip.Prefix) bool {
	if r.Addr().IsLoopback() || r.Addr().IsPrivate() {
		return false
	}
	return r.Addr().Is4() && r.Bits() < 16 || r.Addr().Is6() && r.Bits() < 32
}

func isLoopbackHost(host string) bool { return isLoopbackAddress(net.JoinHostPort(host, "0")) }
