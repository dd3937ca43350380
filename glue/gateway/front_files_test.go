package gateway

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestFrontFilesClearAAHeaders: the configurations that name each header which they clear name
// all those of mod_ucam_webauth. That READMEs show these files is tested there.
func TestFrontFilesClearAAHeaders(t *testing.T) {
	for _, name := range aaHeaders {
		assert.Regexp(t, "(?m)^\\s*proxy_set_header "+name+` +"";$`, snippet(t, "nginx.conf"))
		assert.Regexp(t, "(?m)^\\s*"+name+`: ""$`, snippet(t, "traefik.yml"))
	}
}
