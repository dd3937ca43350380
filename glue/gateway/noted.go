package gateway

import "github.com/ucam-webauth/go-webauth/glue/site"

// logNoted tells the operator what was found out while the configuration was put to work, which
// is what Check finds by trying that.
func (c *core) logNoted() {
	for _, f := range c.cfg.file.Placed(c.noted) {
		log := c.cfg.Logger.Info
		if f.Severity == site.SeverityWarning {
			log = c.cfg.Logger.Warn
		}
		log("wls gateway: "+f.Text, "key", f.Key)
	}
}
