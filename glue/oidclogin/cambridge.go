package oidclogin

// cambridgeDomain ends the user names of the University's present members.
const cambridgeDomain = "@cam.ac.uk"

// cambridgeTenant is the University of Cambridge's tenant of Entra ID: it stands in the header
// X-MS-Exchange-CrossTenant-Id of the University's mail, and in the configuration of
// applications for its members.
const cambridgeTenant = "49a50445-bdfa-4b79-ade3-547b4f3986e9"

// Cambridge returns the University of Cambridge's Entra ID, for an application that is registered
// there. The principal is the whole user name (claim upn), such as "spqr1@cam.ac.uk"; set CRSid
// for "spqr1". The account's object identifier (oid) is Identity.ObjectID.
//
// Alumni and guests can log in as well, and an identity says nothing about what somebody is at
// the University: a policy must name people or groups. Not all user names end in @cam.ac.uk.
// (University Information Services, "Authenticate users to the University Central Directory
// service using OpenID Connect" and "Understanding users and groups in Microsoft Entra": UPN,
// first and last name are what a registered application gets.) For Fresh and IAct yes, the
// registration must have the optional claim auth_time.
func Cambridge(clientID, clientSecretFile string) *Provider {
	return &Provider{
		Name: "cambridge", Title: "your University account",
		Issuer:   "https://login.microsoftonline.com/" + cambridgeTenant + "/v2.0",
		ClientID: clientID, ClientSecretFile: clientSecretFile,
		Scopes:         []string{"profile"}, // optional claims such as upn come with it
		PrincipalClaim: "upn", ObjectClaim: "oid", TenantID: cambridgeTenant,
	}
}
