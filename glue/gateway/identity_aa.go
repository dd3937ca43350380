package gateway

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/internal/aaheader"
)

// aaHeaders are the headers of mod_ucam_webauth. They go out as it spells them, which is not
// as net/http would: for what reads names as they come, such as PHP's getallheaders.
var aaHeaders = [...]string{
	aaheader.Principal, aaheader.Ptags, aaheader.Auth, aaheader.SSO,
	aaheader.Issue, aaheader.Last, aaheader.Life, aaheader.Timeout, aaheader.ID,
}

// setAA puts the headers of mod_ucam_webauth. As there, times are those of this site's
// session: when it began, its whole life, and its last use if that could end it.
func (id *identity) setAA(h http.Header, who *glue.Identity) error {
	last := who.Accepted
	if id.timeout != 0 {
		last = id.now()
	}
	for i, value := range [len(aaHeaders)]string{
		who.Principal, strings.Join(who.Ptags, ","), who.Auth, strings.Join(who.SSO, ","),
		who.Accepted.UTC().Format(aaheader.TimeLayout), last.UTC().Format(aaheader.TimeLayout),
		formatSeconds(max(0, who.Expires.Sub(who.Accepted))), formatSeconds(id.timeout),
		who.ResponseID,
	} {
		if !isHeaderSafe(value) {
			return errUnsafe
		}
		if id.key.IsSet() {
			value = id.key.Signed(value)
		}
		h[id.aa[i]] = []string{value}
	}
	return nil
}

func formatSeconds(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) }

// hmacKeyFile is the key of Identity.HMACKeyFile in a file.
const hmacKeyFile = "identity.hmac-key-file"

// readHMACKey reads the key that signs the X-AA headers, if there is one, as Apache's module
// reads the file of its AAHeaderKey.
func (c *core) readHMACKey(id *identity) error {
	name := c.cfg.Identity.HMACKeyFile
	if name == "" {
		return nil
	}
	key, odd, err := aaheader.ReadFile(name)
	if err != nil {
		return c.cfg.file.Errorf(hmacKeyFile, "%v", err)
	}
	for _, o := range odd {
		if o.Weak {
			c.noted.Warnf(hmacKeyFile, "%s %s", name, o.Text)
		} else {
			c.noted.Notef(hmacKeyFile, "%s %s", name, o.Text)
		}
	}
	id.key = key
	return nil
}
