package remoteuser

import (
	"github.com/ucam-webauth/go-webauth/glue/internal/aaheader"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

// readKey returns the key that values are signed with; the zero Key where there is none. What
// is odd about it is logged.
func (c *Config) readKey(found *site.Findings) aaheader.Key {
	if c.HMACKey == "" {
		return aaheader.Key{}
	}
	key, odd, err := aaheader.FromText(c.HMACKey)
	if err != nil {
		found.Errorf("HMACKey", "%v", err)
	}
	c.logOdd("HMACKey", odd)
	return key
}

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
