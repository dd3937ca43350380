package keys

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ucam-webauth/go-webauth/keys/words"
)

const (
	defaultGrace    = 10 * time.Minute
	defaultInterval = 10 * time.Second
)

// DirConfig configures a [Dir].
type DirConfig struct {
	// Path is the directory.
	Path string
	// Grace is how long a key that was read stays trusted once its file cannot be read any more, or no longer holds a
	// key. Default and maximum: 10 minutes, time to mend a mistake without people being locked out.
	Grace time.Duration
	// Interval is how old a reading of the directory may be before the next use reads it again. Default: 10 s; at most
	// Grace.
	Interval time.Duration
	// Now is the clock. Default: [time.Now].
	Now func() time.Time
}

// Dir is the keys in a directory whose files may change while the program runs, so that keys are changed without a
// restart. Use it wherever a [Set] fits; it is safe for concurrent use.
//
// It has no goroutine. A call of Lookup, Keys, Set or Problems that finds the last reading older than DirConfig.Interval
// reads the files first, while others that come meanwhile wait; so a change is noticed within the Interval, and with
// [Dir.Reload] at once. What a reading finds:
//
//   - a new or changed file: its key is trusted from now on;
//   - a file that is gone, or a link that leads nowhere: its key is no longer trusted;
//   - a file that is still there, but is refused or cannot be read: the key that it held before stays trusted, at most
//     DirConfig.Grace from when it was last read, and [Dir.Problems] reports it.
//
// A key whose private half is public can turn up in any reading: ask [Key.Published] of what Lookup returns, each time.
type Dir struct {
	path            string
	grace, interval time.Duration
	now             func() time.Time

	reading sync.Mutex // held while files are read
	last    atomic.Pointer[reading]
}

// reading is what one look at the directory found. Once in use it does not change.
type reading struct {
	at, until time.Time // serves from at, and until before until
	set       *Set
	readAt    map[string]time.Time // when each kid of set was last read
	problems  []error
}

// OpenDir returns the keys in the directory path, with the defaults of [DirConfig]. Like [LoadDir] it fails if any file
// is refused, or if there is none.
func OpenDir(path string) (*Dir, error) { return NewDir(DirConfig{Path: path}) }

// NewDir is [OpenDir] with settings.
func NewDir(cfg DirConfig) (*Dir, error) {
	d := &Dir{path: cfg.Path, grace: cfg.Grace, interval: cfg.Interval, now: cfg.Now}
	if d.grace == 0 {
		d.grace = defaultGrace
	}
	if d.interval == 0 {
		d.interval = min(defaultInterval, d.grace)
	}
	if d.now == nil {
		d.now = time.Now
	}
	if d.grace < 0 || d.grace > defaultGrace {
		return nil, fmt.Errorf("keys: DirConfig.Grace is %s: from 0 (the default) to %s", words.Duration(d.grace), words.Duration(defaultGrace))
	}
	if d.interval < 0 || d.interval > d.grace {
		return nil, fmt.Errorf("keys: DirConfig.Interval is %s: from 0 (the default) to Grace, %s", words.Duration(d.interval), words.Duration(d.grace))
	}
	d.last.Store(&reading{set: &Set{}})
	if err := d.Reload(); err != nil {
		return nil, err
	}
	return d, nil
}

// Lookup returns the key with this kid, if it is trusted now.
func (d *Dir) Lookup(kid string) (Key, bool) { return d.current().set.Lookup(kid) }

// Keys returns all keys that are trusted now, by kid as a number.
func (d *Dir) Keys() []Key { return d.current().set.Keys() }

// Set returns the keys that are trusted now, as a set that will not follow the directory.
func (d *Dir) Set() *Set { return d.current().set }

// Problems returns what was wrong with the directory when it was last read, nil if nothing was: every file that was
// refused with the reason, and until when the key it held before stays trusted.
func (d *Dir) Problems() []error { return slices.Clone(d.current().problems) }

// Reload reads the directory now. The keys that could be read are in use when it returns; its error joins those of
// [Dir.Problems].
func (d *Dir) Reload() error {
	d.reading.Lock()
	defer d.reading.Unlock()
	return errors.Join(d.read().problems...)
}

func (d *Dir) current() *reading {
	if last := d.last.Load(); last.serves(d.now()) {
		return last
	}
	d.reading.Lock()
	defer d.reading.Unlock()
	if last := d.last.Load(); last.serves(d.now()) {
		return last // somebody else has read while we waited
	}
	return d.read()
}

// serves also fails for a clock that was set back.
func (r *reading) serves(now time.Time) bool {
	return !now.Before(r.at) && now.Before(r.until)
}

// read looks at the directory and puts what it finds in use. The caller holds d.reading.
func (d *Dir) read() *reading {
	now := d.now()
	old := d.last.Load()
	files, skipped, err := listDir(d.path)
	next := &reading{at: now, until: now.Add(d.interval), set: &Set{skipped: skipped}, readAt: map[string]time.Time{}}
	if err != nil {
		next.problems = append(next.problems, err)
		for _, key := range old.set.keys {
			d.keep(key, old, next)
		}
	}
	for _, kid := range files.kids() {
		key, err := files.load(kid)
		if err == nil {
			next.trust(key, now)
			continue
		}
		if key, ok := old.set.Lookup(kid); ok && d.keep(key, old, next) {
			err = fmt.Errorf("%w\n(the key that kid %s had before stays trusted until %s)",
				err, kid, old.readAt[kid].Add(d.grace).UTC().Format(time.RFC3339))
		}
		next.problems = append(next.problems, err)
	}
	if len(next.set.keys) == 0 && len(next.problems) == 0 {
		next.problems = append(next.problems,
			fmt.Errorf("keys: %s: no key file in this directory: one is called pubkeyN, where N is its kid", d.path))
	}
	d.last.Store(next)
	return next
}

// keep takes a key that cannot be read now over into the next reading, unless its file is gone or its time is over.
func (d *Dir) keep(key Key, old, next *reading) bool {
	end := old.readAt[key.kid].Add(d.grace)
	if !next.at.Before(end) {
		return false
	}
	if _, err := os.Stat(key.source); errors.Is(err, fs.ErrNotExist) {
		return false
	}
	next.trust(key, old.readAt[key.kid])
	if end.Before(next.until) {
		next.until = end
	}
	return true
}

// trust adds a key; keys come in ascending order of their kids.
func (r *reading) trust(key Key, readAt time.Time) {
	r.set.keys = append(r.set.keys, key)
	r.readAt[key.kid] = readAt
}
