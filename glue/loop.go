package glue

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/site"
)

// A redirect to the WLS for a path from which this browser came back less than loopWindow
// ago goes one deeper into what may be a loop; one deeper than loopDepth stops at a page
// instead. The token says how deep its request is, and a sealed cookie how deep the
// deepest is that came back for a path, so nobody else can make one look like it. Tabs
// that log in at once are all equally deep, and no loop.
const (
	loopWindow = time.Minute
	loopDepth  = 3
	loopPaths  = 6 // paths remembered at most
)

// loopDepthUnknown is the depth of what comes back and does not say: it counts as one more.
const loopDepthUnknown = 0

type loopMark struct {
	path  string // hash of the path
	at    int64  // Unix seconds of the last return
	depth int    // of the deepest request that came back
}

// noteDepth begins the note of a token whose request is deeper than the first.
const noteDepth = "again-"

func noteOfDepth(depth int) string {
	if depth <= 1 {
		return ""
	}
	return noteDepth + strconv.Itoa(depth)
}

func depthOfNote(note string) int {
	if note == "" {
		return 1
	}
	depth, _ := strconv.Atoi(strings.TrimPrefix(note, noteDepth)) // another note does not say
	return depth
}

// loopMarks reads what the browser remembers, without what is too old.
func (q *request) loopMarks() []loopMark {
	var marks []loopMark
	for line := range strings.Lines(q.opened(q.origin.loops, q.origin.cookies.loop)) {
		f := strings.Fields(line)
		if len(f) != 3 {
			return nil
		}
		at, _ := strconv.ParseInt(f[1], 10, 64)
		depth, _ := strconv.Atoi(f[2])
		if q.now.Unix()-at < int64(loopWindow/time.Second) {
			marks = append(marks, loopMark{f[0], at, depth})
		}
	}
	return marks
}

func (x *exchange) setLoopMarks(marks []loopMark) {
	if len(marks) > loopPaths {
		marks = marks[len(marks)-loopPaths:]
	}
	var b strings.Builder
	for _, m := range marks {
		b.WriteString(m.path + " " + strconv.FormatInt(m.at, 10) + " " + strconv.Itoa(m.depth) + "\n")
	}
	value, err := x.origin.loops.Seal(x.origin.cookies.loop, x.now.Add(loopWindow), []byte(b.String()))
	if err != nil {
		x.log(site.Event{Name: EventStoreError, Err: err})
		return
	}
	x.origin.cookies.set(x.w, x.origin.cookies.loop, value)
}

// loopStep returns how deep a redirect to the WLS is, and whether it is one too many.
func (x *exchange) loopStep() (depth int, stop bool) {
	switch n := len(x.r.CookiesNamed(x.origin.cookies.loop)); {
	case n > 1:
		return 0, true // somebody hides from us how often we were here
	case n == 0 && x.started != 0 && x.now.Unix()-x.started < int64(loopWindow/time.Second):
		return 0, true // the login that set the session has set this cookie too: it does not come back
	}
	depth = 1
	here, goal := pathHash(x.path), pathHash(x.pathOf(x.goal))
	for _, m := range x.loopMarks() {
		if m.path == here || x.goal != "" && m.path == goal { // whichever loopReturn noted
			depth = max(depth, m.depth+1)
		}
	}
	return depth, depth > loopDepth
}

// loopReturn notes that the browser came back from the WLS and is sent on to a URL: a loop
// is one of what people want, wherever they landed.
func (x *exchange) loopReturn(depth int, url string) {
	mark := loopMark{path: pathHash(x.pathOf(url))}
	var others []loopMark
	for _, m := range x.loopMarks() {
		if m.path == mark.path {
			mark = m
		} else {
			others = append(others, m)
		}
	}
	if depth == loopDepthUnknown {
		depth = mark.depth + 1
	}
	mark.depth, mark.at = max(mark.depth, depth), x.now.Unix()
	x.setLoopMarks(append(others, mark))
}

func pathHash(path string) string {
	h := sha256.Sum256([]byte(path))
	return base64.RawURLEncoding.EncodeToString(h[:9])
}

// clearLoops forgets, so that logging out and in again is no loop.
func clearLoops(w http.ResponseWriter, r *http.Request, o *origin) {
	if len(r.CookiesNamed(o.cookies.loop)) > 0 {
		o.cookies.clear(w, o.cookies.loop)
	}
}
