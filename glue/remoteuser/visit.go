package remoteuser

import (
	"context"
	"net/http"
	"time"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/internal/respond"
)

// visit is one request on its way through.
type visit struct {
	u   *RemoteUser
	w   http.ResponseWriter
	r   *http.Request
	now time.Time

	header   http.Header // of the request, without what claims an identity
	believed bool        // a front server said who it is
	ref      string      // ties a page to its log line
}

func (u *RemoteUser) visit(w http.ResponseWriter, r *http.Request) *visit {
	return &visit{u: u, w: w, r: r, now: time.Unix(u.cfg.Now().Unix(), 0).UTC(), header: r.Header}
}

// admit looks a person up and runs next for them.
func (v *visit) admit(next http.Handler, id glue.Identity, optional bool) {
	ctx, verdict := v.lookup(id)
	switch {
	case verdict == nil:
		v.serve(next, v.decided(glue.WithIdentity(ctx, id), decision{}), &id)
	case optional && isNoUser(verdict):
		v.serve(next, v.decided(v.r.Context(), decision{refused: verdict, believed: v.believed, id: id}), nil)
	default:
		v.turnAway(id, verdict)
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

func (v *visit) decided(ctx context.Context, d decision) context.Context {
	d.by = v.u
	return context.WithValue(ctx, decisionKey{}, &d)
}

// before gives the decision of an outer Require or Optional of the same RemoteUser; nil
// where there was none, or it knew nobody.
func (u *RemoteUser) before(r *http.Request) *decision {
	if d, ok := r.Context().Value(decisionKey{}).(*decision); ok && d.by == u {
		return d
	}
	return nil
}

// serve runs next with a request that says no more of who somebody is than we know.
func (v *visit) serve(next http.Handler, ctx context.Context, id *glue.Identity) {
	if id != nil {
		respond.Private(v.w.Header())
	} else {
		respond.VaryByCookie(v.w.Header())
	}
	r := v.r.WithContext(ctx)
	r.Header = v.header
	if id != nil && v.believed {
		name := http.CanonicalHeaderKey(v.u.cfg.Header)
		r.Header[name] = v.r.Header[name] // separate made a copy
	}
	v.u.separateTrailer(r, v.r)
	defer func() {
		// net/http removes an upload's temporary files for its own request only.
		if r.MultipartForm != nil {
			_ = r.MultipartForm.RemoveAll() // as net/http does
		}
	}()
	next.ServeHTTP(v.w, r)
}
