package glue

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A redirect to the WLS for a path whose login succeeded in this browser less than
// loopWindow ago is a step of a loop, and so is each such login; a redirect that is
// step loopSteps or beyond stops at a page instead. It is all in a sealed cookie of its
// own, so nobody else can make one look like it, and tabs that log in at once are none.
const (
	loopWindow = time.Minute
	loopSteps  = 6 // three logins and three redirects
	loopPaths  = 6 // paths remembered at most
)

type loopMark struct {
	path  string // hash of the path
	at    int64  // Unix seconds of the last login
	steps int
}

// loopMarks reads what the browser remembers, without what is too old.
func (v *visit) loopMarks() []loopMark {
	value := v.place.cookies.get(v.r, v.place.cookies.loop)
	if value == "" {
		return nil
	}
	plain, _, err := v.place.loops.Open(v.place.cookies.loop, value, v.now)
	if err != nil {
		return nil
	}
	var marks []loopMark
	for line := range strings.Lines(string(plain)) {
		f := strings.Fields(line)
		if len(f) != 3 {
			return nil
		}
		at, _ := strconv.ParseInt(f[1], 10, 64)
		steps, _ := strconv.Atoi(f[2])
		if v.now.Unix()-at < int64(loopWindow/time.Second) {
			marks = append(marks, loopMark{f[0], at, steps})
		}
	}
	return marks
}

func (v *visit) setLoopMarks(marks []loopMark) {
	if len(marks) > loopPaths {
		marks = marks[len(marks)-loopPaths:]
	}
	var b strings.Builder
	for _, m := range marks {
		b.WriteString(m.path + " " + strconv.FormatInt(m.at, 10) + " " + strconv.Itoa(m.steps) + "\n")
	}
	value, err := v.place.loops.Seal(v.place.cookies.loop, v.now.Add(loopWindow), []byte(b.String()))
	if err != nil {
		v.log(Event{Name: EventStoreError, Err: err})
		return
	}
	v.place.cookies.set(v.w, v.place.cookies.loop, value)
}

// loopStep counts a redirect to the WLS and reports whether it is one too many.
func (v *visit) loopStep() (stop bool) {
	if len(v.r.CookiesNamed(v.place.cookies.loop)) > 1 {
		return true // somebody hides from us how often we were here
	}
	marks := v.loopMarks()
	for i := range marks {
		if marks[i].path != pathHash(v.path) {
			continue
		}
		if marks[i].steps++; marks[i].steps >= loopSteps {
			return true
		}
		v.setLoopMarks(marks)
	}
	return false
}

// loopLogin notes that a login for this path succeeded.
func (v *visit) loopLogin() {
	mark := loopMark{path: pathHash(v.path)}
	var others []loopMark
	for _, m := range v.loopMarks() {
		if m.path == mark.path {
			mark = m
		} else {
			others = append(others, m)
		}
	}
	// Logins count too: in two tabs, a login's slower reply would otherwise bring back
	// the count from before a redirect, again and again.
	mark.steps++
	mark.at = v.now.Unix()
	v.setLoopMarks(append(others, mark))
}

func pathHash(path string) string {
	h := sha256.Sum256([]byte(path))
	return base64.RawURLEncoding.EncodeToString(h[:9])
}

// clearLoops forgets, so that logging out and in again is no loop.
func clearLoops(w http.ResponseWriter, r *http.Request, p *place) {
	if len(r.CookiesNamed(p.cookies.loop)) > 0 {
		p.cookies.clear(w, p.cookies.loop)
	}
}
