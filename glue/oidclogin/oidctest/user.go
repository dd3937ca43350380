package oidctest

import (
	"crypto/sha256"
	"fmt"
	"slices"
)

// TenantID is the claim "tid" of all users.
const TenantID = "3f1c9a52-7d0e-4b86-9a1f-5c2d8e7b6a40"

// User is somebody who can log in to the provider, with any password.
type User struct {
	// ID is the subject (claim "sub"): 1 to 255 bytes of printable ASCII without blanks.
	ID string
	// Groups and Roles are the claims of that name, left out where there are none. More
	// than 200 groups are sent as Entra ID does: not at all, with a link in their place.
	Groups, Roles []string
	// AMR is the claim "amr"; nil means "pwd".
	AMR []string
	// Claims are added to ID tokens; nil in the place of a value takes one away.
	Claims map[string]any
	// Disabled refuses the login and ends single sign-on.
	Disabled bool
}

// DefaultUsers are test0001 to test0010. All but test0010 are in the group "current".
func DefaultUsers() []User {
	var users []User
	for i := 1; i <= 10; i++ {
		users = append(users, User{ID: fmt.Sprintf("test%04d", i), Groups: []string{"current"}})
	}
	users[9].Groups = nil
	return users
}

func (u User) id() string { return u.ID }

func (u User) check() error {
	if !printable(u.ID, 255) {
		return fmt.Errorf("oidctest: user id %q: want 1 to 255 bytes of printable ASCII without blanks", u.ID)
	}
	return nil
}

// maxGroups is how many groups Entra ID puts into a JWT.
const maxGroups = 200

// claims are those about the person, without those about the login.
func (u User) claims(issuer string) map[string]any {
	upn := u.ID + "@cam.ac.uk"
	h := sha256.Sum256([]byte(u.ID))
	oid := fmt.Sprintf("%x-%x-4%x-8%x-%x", h[:4], h[4:6], h[6:8], h[8:10], h[10:16])
	oid = oid[:17] + oid[18:22] + oid[23:] // a digit for the version, one for the variant
	c := map[string]any{
		"sub": u.ID, "oid": oid, "tid": TenantID, "upn": upn, "preferred_username": upn,
		"name": "Test User " + u.ID, "email": u.ID + "@example.org",
	}
	switch {
	case len(u.Groups) > maxGroups:
		c["_claim_names"] = map[string]any{"groups": "src1"}
		c["_claim_sources"] = map[string]any{"src1": map[string]any{"endpoint": issuer + "/users/" + oid + "/getMemberObjects"}}
	case u.Groups != nil:
		c["groups"] = u.Groups
	}
	if u.Roles != nil {
		c["roles"] = u.Roles
	}
	return c
}

// AddUser adds a user or replaces the one of that id. It panics if the id cannot be one.
func (p *Provider) AddUser(u User) { must(p.users.put(u)) }

// RemoveUser removes a user and thereby ends single sign-on for that id.
func (p *Provider) RemoveUser(id string) { p.users.remove(id) }

// user returns the user of that id and whether they may log in.
func (p *Provider) user(id string) (User, bool) {
	u, ok := p.users.get(id)
	return u, ok && !u.Disabled
}

func printable(s string, max int) bool {
	return s != "" && len(s) <= max && !slices.ContainsFunc([]byte(s), func(b byte) bool { return b <= ' ' || b > '~' })
}
