package gateway

import (
	"net/http"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/internal/program/serve"
	"github.com/ucam-webauth/go-webauth/glue/internal/respond"
	"github.com/ucam-webauth/go-webauth/glue/xsrf"
)

// whoamiPath tells the scripts of a page who is logged in.
const whoamiPath = serve.ReservedPath + "/whoami"

// session is what whoami says of one; all but LoggedIn is left out where there is none.
type session struct {
	LoggedIn  bool       `json:"logged_in"`
	Principal string     `json:"principal,omitempty"`
	Ptags     []string   `json:"ptags,omitempty"`
	Expires   *time.Time `json:"expires,omitempty"`
}

// whoami reports the session of whoever asks, whatever the rules ask of one. To ask is no use
// of the session, so that a page which is left open keeps none alive.
//
// It is for pages of the same origin. Others could not read it, as nothing here tells browsers
// to let them, but they get nothing to measure either. What does not say where it comes from,
// an older browser or a program, gets its answer.
func (c *core) whoami(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		c.refuse(w, r, "method", nil, pageMethod)
		return
	}
	same, told := c.site.SameOrigin(r)
	typed := r.Header.Get("Sec-Fetch-Site") == "none" && len(r.Header["Origin"]) == 0 // into the address bar
	if told && !same && !typed {
		c.xsrf.Refuse(w, r, xsrf.ErrCrossOrigin)
		return
	}
	d, err := c.auth.Evaluate(r)
	if err != nil {
		d.Refuse(w)
		return
	}
	var found session
	if who := d.Identity; who.Principal != "" {
		expires := who.Expires.UTC()
		found = session{true, who.Principal, who.Ptags, &expires}
	}
	w.Header().Set("Cross-Origin-Resource-Policy", "same-origin")
	respond.JSON(w, http.StatusOK, found)
}
