// Package htpasswd reads files of people: .htpasswd files with bcrypt hashes, and files of
// groups.
package htpasswd

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/bcrypt"

	"github.com/ucam-webauth/go-webauth/glue/internal/program/textfile"
)

// Passwords are the people of an .htpasswd file. They do not change once they are loaded.
type Passwords struct {
	File string // as it was called

	hashes map[string][]byte
	cost   int // the highest of all hashes
}

const (
	// maxCost bounds what one attempt costs: about a second of one processor.
	maxCost = 14
	// maxPassword is what bcrypt looks at, in bytes; it would ignore the rest.
	maxPassword = 72
)

// Load reads an .htpasswd file: lines of a name, a colon and a bcrypt hash, as
// "htpasswd -B" writes them, comments and blank lines. All mistakes are reported, with
// file and line, and without what the file holds of hashes.
func Load(path string) (*Passwords, error) {
	p := &Passwords{File: path, hashes: map[string][]byte{}, cost: bcrypt.MinCost}
	if err := textfile.EachLine(path, p.add); err != nil {
		return nil, err
	}
	if len(p.hashes) == 0 {
		return nil, errors.New(path + ": there is nobody in it: it may be cut short")
	}
	return p, nil
}

// add reads one line. Errors quote nothing of it: in a damaged line anything may be the
// hash.
func (p *Passwords) add(line string) error {
	user, hash, found := strings.Cut(line, ":")
	if !found {
		return errors.New(`no colon: lines are as "htpasswd -B" writes them`)
	}
	if err := checkName("user's name", user); err != nil {
		return err
	}
	if p.hashes[user] != nil {
		return errors.New("this user has a line further up")
	}
	cost, err := bcryptCost(hash)
	if err != nil {
		return err
	}
	p.hashes[user] = []byte(hash)
	p.cost = max(p.cost, cost)
	return nil
}

// Has reports whether a user has a password.
func (p *Passwords) Has(user string) bool { return p.hashes[user] != nil }

// bcryptCost returns the cost of a hash, after a look at all of it.
func bcryptCost(hash string) (int, error) {
	const length = len("$2y$05$") + 22 + 31 // and salt, and hash proper
	switch {
	case !strings.HasPrefix(hash, "$2a$") && !strings.HasPrefix(hash, "$2b$") && !strings.HasPrefix(hash, "$2y$"):
		return 0, errors.New(`not a bcrypt hash, and no other is supported: make one with "htpasswd -B"`)
	case len(hash) != length || hash[6] != '$' || strings.Trim(hash[7:], bcryptAlphabet) != "":
		return 0, errors.New(`a damaged bcrypt hash: make it anew with "htpasswd -B"`)
	}
	cost, err := bcrypt.Cost([]byte(hash))
	switch {
	case err != nil:
		return 0, errors.New(`a bcrypt hash without a valid cost: make it anew with "htpasswd -B"`)
	case cost > maxCost:
		return 0, fmt.Errorf("cost %d would take seconds per login: use at most %d", cost, maxCost)
	}
	return cost, nil
}

const bcryptAlphabet = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// Verify reports whether the password is that of the user. It takes as long for any
// user, known or not, as for one with the most expensive hash of the file: else the
// time would tell who is in it.
func (p *Passwords) Verify(user, password string) bool {
	given := []byte(password)
	fits := len(given) > 0 && len(given) <= maxPassword && !strings.Contains(password, "\x00")
	given = given[:min(len(given), maxPassword)]

	hash, known := p.hashes[user]
	if !known {
		_ = bcrypt.CompareHashAndPassword(dummyHash(p.cost), given)
		return false
	}
	right := bcrypt.CompareHashAndPassword(hash, given) == nil
	// Each step of cost doubles the work, so 2^c + (2^c + 2^(c+1) + ... + 2^(max-1)) is
	// 2^max.
	cost, _ := bcrypt.Cost(hash) // checked by add
	for ; cost < p.cost; cost++ {
		_ = bcrypt.CompareHashAndPassword(dummyHash(cost), given)
	}
	return right && fits
}

// dummyHash returns a hash that costs as much to compare with as any. Whether a password
// fits it is never asked.
func dummyHash(cost int) []byte {
	return fmt.Appendf(nil, "$2b$%02d$%s", cost, strings.Repeat(".", 22+31))
}
