package serve

import "github.com/ucam-webauth/go-webauth/glue/site"

// LogNoted tells the operator what was found out while the configuration was put to work, which
// is what a check finds by trying that.
func (c *Config) LogNoted(noted site.Findings) {
	for _, f := range c.File.Placed(noted) {
		log := c.Logger.Info
		if f.Severity == site.SeverityWarning {
			log = c.Logger.Warn
		}
		log(c.Program+": "+f.Text, "key", f.Key)
	}
}
