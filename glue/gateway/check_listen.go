package gateway

import (
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue/gateway/internal/config"
	"github.com/ucam-webauth/go-webauth/glue/gateway/internal/listen"
)

func (k *checker) checkListen() {
	l := &k.Listen
	used := map[string]string{} // the key of each address
	for _, f := range []struct {
		key       string
		addresses []string
	}{{"listen.https", l.HTTPS}, {"listen.redirect", l.Redirect}, {"listen.http", l.HTTP}} {
		for i, address := range f.addresses {
			k.checkAddress(config.Element(f.key, i+1), address, used)
		}
	}
	for i, address := range l.HTTP {
		if !isLoopbackAddress(address) && len(k.Front.Proxies) == 0 {
			k.bad(config.Element("listen.http", i+1), "%q can be reached from other machines, without encryption: use a loopback address, or name the front servers in front.proxies", address)
		}
	}
	k.checkSocket()
	k.checkCertificates()
	if path, ok := strings.CutPrefix(k.Admin.Listen, listen.Unix); ok {
		if path == "" {
			k.bad("admin.listen", "the path is missing: write it such as unix:/run/wlsgateway/admin.sock")
		} else if path == l.Unix {
			k.bad("admin.listen", "listen.unix is the same")
		}
	} else if k.Admin.Listen != "" {
		k.checkAddress("admin.listen", k.Admin.Listen, used)
	}
}

// checkAddress checks an address to listen at, and that it is not used twice.
func (k *checker) checkAddress(key, address string, used map[string]string) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		k.bad(key, "%q is no address: write it such as :443, 127.0.0.1:8080 or [::1]:8080", address)
		return
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		k.bad(key, "%q: the port must be a number of at most 65535", address)
		return
	}
	if host != "" && !hostName.MatchString(host) {
		if _, err := netip.ParseAddr(host); err != nil {
			k.bad(key, "%q: %q is neither a name nor an address", address, host)
			return
		}
	}
	if other, ok := used[address]; ok && n != 0 { // port 0 is another free one each time
		k.bad(key, "%s is the same: an address can be listened at once", other)
	}
	used[address] = key
}

// hostName is a name that may be in DNS.
var hostName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$`)

func (k *checker) checkSocket() {
	mode, err := strconv.ParseUint(k.Listen.UnixMode, 8, 32)
	switch {
	case k.Listen.UnixMode == "":
	case k.Listen.Unix == "":
		k.bad("listen.unix-mode", "this is for listen.unix, which is not set")
	case err != nil || mode > 0o777 || mode&0o600 != 0o600:
		k.bad("listen.unix-mode", `%q: write permissions such as "0660"; the owner needs both`, k.Listen.UnixMode)
	}
}

func (k *checker) checkCertificates() {
	for i, c := range k.Listen.Certificates {
		key := config.Element("listen.certificate", i+1)
		k.need(key+".cert", c.Cert, "a PEM file with the certificate and those that lead to it")
		k.need(key+".key", c.Key, "a PEM file with the certificate's private key")
		for j, other := range k.Listen.Certificates[:i] {
			if c == other && c.Cert != "" {
				k.bad(key, "%s is the same", config.Element("listen.certificate", j+1))
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
