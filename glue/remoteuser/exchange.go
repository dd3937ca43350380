package remoteuser

import (
	"context"
	"net/http"
	"time"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/internal/respond"
)

// exchange is one request, and its answer.
type exchange struct {
	u   *RemoteUser
	w   http.ResponseWriter
	r   *http.Request
	now time.Time

	header   http.Header // of the request, without what claims an identity
	believed bool        // a front server said who it is
}

func (u *RemoteUser) exchange(w http.ResponseWriter, r *http.Request) *exchange {
	return &exchange{u: u, w: w, r: r, now: time.Unix(u.cfg.Site.Now().Unix(), 0).UTC(), header: r.Header}
}

// admit looks a person up and runs next for them.
func (x *exchange) admit(next http.Handler, id glue.Identity, optional bool) {
	ctx, verdict := x.lookup(id)
	switch {
	case verdict == nil:
		x.serve(next, x.decided(glue.WithIdentity(ctx, id), decision{}), &id)
	case optional && isNoUser(verdict):
		x.serve(next, x.decided(x.r.Context(), decision{refused: verdict, believed: x.believed, id: id}), nil)
	default:
		x.turnAway(id, verdict)
	}
}

// decision is what an outer Require or Optional found out about somebody. It need not be
// done twice, and could not be: what told who it is may be gone by now.
type decision struct {
	by *RemoteUser

	refused  error // by Lookup, though Optional let the request through; or nil
	id       glue.Identity
	believed bool
}

type decisionKey struct{}

func (x *exchange) decided(ctx context.Context, d decision) context.Context {
	d.by = x.u
	return context.WithValue(ctx, decisionKey{}, &d)
}

// before returns the decision of an outer Require or Optional of the same RemoteUser; nil
// where there was none, or it knew nobody.
func (u *RemoteUser) before(r *http.Request) *decision {
	if d, ok := r.Context().Value(decisionKey{}).(*decision); ok && d.by == u {
		return d
	}
	return nil
}

// serve runs next with a request that says no more of who somebody is than we know.
func (x *exchange) serve(next http.Handler, ctx context.Context, id *glue.Identity) {
	if id != nil {
		respond.Private(x.w.Header(), new([2]string))
	} else {
		respond.VaryByCookie(x.w.Header())
	}
	r := x.r.WithContext(ctx)
	r.Header = x.header
	if id != nil && x.believed {
		name := http.CanonicalHeaderKey(x.u.cfg.Header)
		r.Header[name] = x.r.Header[name] // separate made a copy
	}
	x.u.separateTrailer(r, x.r)
	defer func() {
		// net/http removes an upload's temporary files for its own request only.
		if r.MultipartForm != nil {
			_ = r.MultipartForm.RemoveAll() // as net/http does
		}
	}()
	next.ServeHTTP(x.w, r)
}
