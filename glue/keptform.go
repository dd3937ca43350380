package glue

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// A form that lacks a good enough login is kept: sealed, with the person, the session,
// the browser, the URL and a time, into the page that asks to log in. That page's button
// sends it on, once, after a login by the same person in the same browser. It is then
// judged as the request that it was: see keptresume.go.

// KeptFormLife is how long a form is kept. Whatever a kept form uses up must be
// remembered for as long after its own time.
const KeptFormLife = time.Hour

const maxKeptHead = 4 << 10 // bytes of URL and content type

// KeptForm is what is known of a form that was kept over a login, for those who judge
// the request after it, such as glue/xsrf.
type KeptForm struct {
	// Principal is whose form it is, SessionID the session that they sent it in.
	Principal, SessionID string
	// At is when they sent it.
	At time.Time
	// Ended says that the session had ended by then. If not, the login was not good
	// enough.
	Ended bool
	// Used are the marks of OneUse that the form itself left, when it was sent.
	Used []string
}

type keptForm struct {
	KeptForm
	binding, url, kind, nonce string
	wants                     string // the mark's value: the login that its route wants
	body                      string
	expires                   time.Time
	sealed                    string
}

// keptLines are those before the body.
const keptLines = 10

var errNotKept = errors.New("it is not a form that was kept here for this browser, or it was kept for too long")

// sealForm seals the request's form, if it may be kept. A form that was kept before, by
// a handler around this one, goes on being what it was.
func (x *exchange) sealForm(s *session) (string, error) {
	kept, resumed := KeptFormFrom(x.r.Context())
	if !resumed {
		kept = KeptForm{SessionID: s.SessionID, At: x.now, Ended: x.ended(s) != ""}
	}
	same, _ := x.cfg.Site.SameOrigin(x.r)
	limit := int64(x.cfg.KeepForms)
	given := x.r.Header.Get("Content-Type")
	url := x.origin.url(x.path, x.query)
	switch {
	case limit < 0:
		return "", errors.New("this site does not keep forms")
	case !resumed && !same:
		return "", errors.New("it did not come from a page of this site")
	case kindOf(x.r) != formKind:
		return "", errors.New("files cannot be kept")
	case len(url)+len(given) > maxKeptHead:
		return "", errors.New("its address is too long")
	}
	body, err := io.ReadAll(io.LimitReader(x.r.Body, limit+1))
	if len(body) == 0 && len(x.r.PostForm) > 0 {
		body = []byte(x.r.PostForm.Encode()) // somebody around us has read it, such as xsrf.Check
	} else if int64(len(body)) < x.r.ContentLength {
		err = io.ErrUnexpectedEOF
	}
	if err != nil || int64(len(body)) > limit {
		return "", errors.New("it is too long, or did not arrive whole")
	}
	head := strings.Join([]string{
		s.Principal, s.binding, randomID(), kept.SessionID, strconv.FormatInt(kept.At.Unix(), 10), strconv.FormatBool(kept.Ended),
		strings.Join(append(kept.Used, usedBy(x.r.Context())...), " "), markOf(x.a.policy.strength(), &x.cfg.Policy), url, given,
	}, "\n")
	return x.origin.kept.Seal(keptField, kept.At.Add(KeptFormLife), append([]byte(head+"\n"), body...))
}

const formKind = "application/x-www-form-urlencoded"

// kindOf returns the media type of a request's body.
func kindOf(r *http.Request) string {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return kind
}

// openForm reads the kept form that a Continue button sent. It checks everything but
// the person. The request's body can be read again.
func (q *request) openForm() (*keptForm, error) {
	// A browser that does not tell where the request comes from cannot have the sealed
	// form from elsewhere either.
	if same, told := q.cfg.Site.SameOrigin(q.r); told && !same {
		return nil, errNotKept
	}
	limit := (q.cfg.KeepForms+maxKeptHead)*4/3 + 4<<10
	body, err := io.ReadAll(io.LimitReader(q.r.Body, int64(limit)+1))
	q.r.Body = readAgain(body, q.r.Body)
	if err != nil || len(body) > limit {
		return nil, errNotKept
	}
	fields, _ := url.ParseQuery(string(body)) // a broken field beside ours is no matter
	sealed := fields.Get(keptField)
	plain, expires, err := q.origin.kept.Open(keptField, sealed, q.now)
	part := strings.SplitN(plain, "\n", keptLines+1)
	if err != nil || len(part) != keptLines+1 {
		return nil, errNotKept
	}
	f := &keptForm{
		KeptForm: KeptForm{Principal: part[0], SessionID: part[3], Ended: part[5] == "true", Used: strings.Fields(part[6])},
		binding:  part[1], nonce: part[2], wants: part[7], url: part[8], kind: part[9],
		body: part[keptLines], expires: expires, sealed: sealed,
	}
	f.At, _ = parseUnix(part[4]) // our own
	if !q.secret.Fits(f.binding) || f.url != q.origin.url(q.path, withoutKeptMark(q.query)) {
		return nil, errNotKept
	}
	return f, nil
}

// restored returns the request that was kept. What else a browser says of itself, such
// as its cookies, is as it is now.
func (q *request) restored(form *keptForm) *http.Request {
	r := withoutMark(q.r)
	r.Header = r.Header.Clone()
	for name := range r.Header { // of the body that the button sent
		if strings.HasPrefix(name, "Content-") {
			delete(r.Header, name)
		}
	}
	r.Header.Set("Content-Type", form.kind)
	r.Body = io.NopCloser(strings.NewReader(form.body))
	r.ContentLength = int64(len(form.body))
	r.TransferEncoding, r.Trailer = nil, nil
	r.Form, r.PostForm, r.MultipartForm = nil, nil, nil
	return r.WithContext(context.WithValue(r.Context(), keptKey{}, &form.KeptForm))
}

type keptKey struct{}

// KeptFormFrom returns what is known of a form that was kept over a login and has just
// been sent on by the same person in the same browser. It is for packages that judge
// forms.
func KeptFormFrom(ctx context.Context) (KeptForm, bool) {
	kept, ok := ctx.Value(keptKey{}).(*KeptForm)
	if !ok {
		return KeptForm{}, false
	}
	return *kept, true
}

type usedKey struct{}

// WithUsed notes that a request has marked an item as used: should a handler further in
// have to keep its form, the form is not refused afterwards for what it used itself.
func WithUsed(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, usedKey{}, append([]string{id}, usedBy(ctx)...))
}

func usedBy(ctx context.Context) []string {
	used, _ := ctx.Value(usedKey{}).([]string)
	return used
}

// readAgain returns a body that begins with what was read of it.
func readAgain(begin []byte, rest io.ReadCloser) io.ReadCloser {
	return struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(begin), rest), rest}
}

// heldBody notes what is read of a body, up to a limit.
type heldBody struct {
	io.ReadCloser
	read []byte
	more bool // than the limit was read
}

func (b *heldBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.more = b.more || len(b.read)+n > maxKeptForm; b.more {
		b.read = nil
	} else {
		b.read = append(b.read, p[:n]...)
	}
	return n, err
}

// again returns the body as it was before, unless too much of it was read.
func (b *heldBody) again() io.ReadCloser {
	if b.more {
		return b.ReadCloser
	}
	return readAgain(b.read, b.ReadCloser)
}
