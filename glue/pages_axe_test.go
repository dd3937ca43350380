package glue_test

import (
	"strings"
	"testing"

	"github.com/ucam-webauth/go-webauth/glue/enginetest/axetest"
)

// Every page, as people come upon it.
func TestEveryPage_axe(t *testing.T) {
	var pages axetest.Pages
	for _, p := range everyPage() {
		s := pagesSite(t, byWLS, func(c *config) { c.SiteName = strings.Repeat("unbroken", 7) })
		a := p.get(s).requirePage(p.status, p.kind)
		pages.Add(p.kind, a.Response, a.Body)
	}
	pages.Check(t)
}
