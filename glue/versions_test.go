package glue_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/ucam-webauth/go-webauth/webauth"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
	"github.com/ucam-webauth/go-webauth/webauth/wls"
)

// A service that knows versions 1 and 2 alone says "current" by vouching at all; and where
// only version 3 is expected, nobody comes by that by altering a request.
func TestVersionsAndPtags(t *testing.T) {
	for _, tt := range []struct {
		name     string
		versions []int
		noPtags  bool
		ver      int
		page     string
		ptags    []string
	}{
		{name: "3 of 3", ver: 3, page: "forbidden"}, // the test's user has no ptags
		{name: "1 where 3 is expected", ver: 1, page: "refused"},
		{name: "2 where 3 is expected", ver: 2, page: "refused"},
		{name: "1 of 1", versions: []int{1}, ver: 1, ptags: []string{"current"}},
		{name: "2 of 1 and 2", versions: []int{1, 2}, ver: 2, ptags: []string{"current"}},
		{name: "2 of all", versions: []int{1, 2, 3}, ver: 2, ptags: []string{"current"}},
		{name: "3 of all", versions: []int{1, 2, 3}, ver: 3, page: "forbidden"},
		{name: "2 of a service without ptags", versions: []int{2, 3}, noPtags: true, ver: 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := startSite(t, setup{config: func(c *config) { c.Versions = tt.versions; c.wls(func(s *webauth.Service) { s.NoPtags = tt.noPtags }) }})
			o := proof("pwd", nil)
			s.fake.Always(webauthtest.Outcome{Edit: func(r *wls.Response) {
				o.Edit(r)
				r.Ver, r.Ptags = tt.ver, nil
			}})
			a := s.browser("test0001").get("/private/")
			if tt.page != "" {
				a.requirePage(http.StatusForbidden, tt.page)
				return
			}
			assert.Equal(t, tt.ptags, a.requireEcho("test0001").Identity.Ptags)
		})
	}
}
