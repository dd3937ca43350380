package remoteuser

import (
	"strings"

	"github.com/ucam-webauth/go-webauth/glue/internal/aaheader"
	"github.com/ucam-webauth/go-webauth/glue/internal/secretfile"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

// readKey returns the key that values are signed with; the zero Key where there is none. What
// is odd about it is logged.
func (c *Config) readKey(found *site.Findings) aaheader.Key {
	switch {
	case c.HMACKey != "" && c.HMACKeyFile != "":
		found.Errorf("", "HMACKey and HMACKeyFile are both set: leave one of them out")
	case c.HMACKey != "":
		key, odd, err := aaheader.FromText(c.HMACKey)
		if err != nil {
			found.Errorf("HMACKey", "%v", err)
		}
		if strings.HasSuffix(c.HMACKey, "\n") { // AAHeaderKey has none, unless it is "file:"
			odd = append(odd, aaheader.Oddity{Weak: true, Text: "ends with a newline, which is a part of the key: was it read from a file? Name that in HMACKeyFile, or take the newline away"})
		}
		c.logOdd("HMACKey", odd)
		return key
	case c.HMACKeyFile != "":
		key, odd, err := aaheader.ReadFile(secretfile.Path(c.HMACKeyFile))
		if err != nil {
			found.Errorf("HMACKeyFile", "%v", err)
		}
		c.logOdd("HMACKeyFile", odd)
		return key
	}
	return aaheader.Key{}
}

// logOdd tells the operator what is odd about the key of a field.
func (c *Config) logOdd(field string, odd []aaheader.Oddity) {
	if c.Site == nil {
		return // New fails
	}
	for _, o := range odd {
		log := c.Site.Logger().Info
		if o.Weak {
			log = c.Site.Logger().Warn
		}
		log("remoteuser: Config." + field + " " + o.Text)
	}
}
