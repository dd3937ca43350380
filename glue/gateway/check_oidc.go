package gateway

import "slices"

// checkOpen checks that a rule says who may come in where a service also knows people who are
// nobody's members.
func (k *checker) checkOpen(i int) {
	r, service := &k.Rules[i], k.login().Open()
	if service == nil || !slices.Contains([]Access{Login, LoginOrBearer, Optional}, r.Access) {
		return
	}
	if r.Principals == nil && r.Groups == nil && r.Ptags == nil && !r.AnyPtags {
		k.Errorf(ruleKey(i, "any-ptags"), "this is missing: at %s former members and guests can log in too, and it does not say who is one: name principals, groups or ptags, or set any-ptags = true to let in whoever can log in there", service.Info().Name)
	}
}

// noteLost notes what a rule that was written for Ucam-WebAuth loses by OpenID Connect.
func (k *checker) noteLost(i int) {
	r, service := &k.Rules[i], k.login().Open()
	if service == nil {
		return
	}
	name := service.Info().Name
	for _, f := range []struct {
		field string
		lost  bool
		text  string
	}{
		{"principals", r.Principals != nil && r.Ptags == nil && !r.AnyPtags && r.Access != Basic, "who is named here comes in for as long as that is so, members or not: %s reports no \"current\""},
		{"groups", r.Groups != nil && r.Ptags == nil && !r.AnyPtags && r.Access != Basic, "who is in these comes in for as long as that is so, members or not: %s reports no \"current\""},
		{"desc", r.Desc != "", "%s does not show this"},
		{"msg", r.Msg != "", "%s does not show this"},
		{"fresh", r.Fresh != 0, "%s must send the claim auth_time, or nobody comes in"},
		{"iact", r.IAct == "yes", "%s must send the claim auth_time, or nobody comes in"},
		{"aauth", r.AAuth != nil, "%s has words of its own for this, in the claims acr and amr"},
	} {
		if f.lost {
			k.Notef(ruleKey(i, f.field), f.text, name)
		}
	}
}
