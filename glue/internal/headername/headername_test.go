package headername_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/ucam-webauth/go-webauth/glue/internal/headername"
)

func TestLookup(t *testing.T) {
	const (
		free       = headername.Class(0)
		frames     = headername.Frames
		judged     = headername.Judged
		identifies = headername.Identifies
		routes     = headername.Routes
		methods    = headername.Methods
		peers      = headername.Peers
		suspects   = headername.Suspects
	)
	for _, row := range []struct {
		class headername.Class
		names string
	}{
		{frames, "Content-Length content_length Content.Length CONTENT!LENGTH Http-Content-Length Transfer_Encoding Transfer~Encoding connection Te TRAILER Upgrade Expect"},
		{judged, "Cookie Host host Http_Host Authorization HTTP_AUTHORIZATION Sec-Fetch-Site sec_fetch_mode Origin Destination Depth Content_Type X-Amz-Copy-Source X_Copy_From"},
		{routes, "SCRIPT_NAME Script-Name script.name Path-Info PATH_TRANSLATED Request-Uri X-Script-Name X-Original-Url X_Original_URL X-Original-Host X-Rewrite-Url " +
			"X-Override-Url X-Accel-Redirect X-Accel-Mapping X-Sendfile X-Sendfile-Type X-Host X-Http-Host-Override Front-End-Https X-Url-Scheme X-Scheme Https Proxy " +
			"HTTP_PROXY Http-Proxy Server-Name Document_Root Php-Value Uwsgi-File X-Vhm-Root X-Middleware-Subrequest X-Envoy-Original-Path Query-String"},
		{methods, "X-Http-Method X-HTTP-Method-Override x_http_method_override X-Method-Override Method-Override Http-Method-Override Request_Method"},
		{peers, "X-Forwarded-For X_Forwarded_For X.Forwarded.For X-Forwarded-Prefix X-Forwarded-Server X-Forwarded-Ssl X-Forwarded Forwarded Forwarded-For X-Real-Ip Client-Ip " +
			"True-Client-Ip X-Client-Ip Remote-Addr REMOTE_ADDR Http_Client_Ip Cf-Connecting-Ip WL-Proxy-Client-IP"},
		{identifies, "Remote-User remote_user REMOTE.USER Http-Remote-User HTTP_HTTP_REMOTE_USER X-Remote-Groups X-AAPrincipal X_AA_Anything AAPrincipal X-Auth-Request-Email " +
			"X-Authenticated-User X-WebAuth-User X-User X_User X-Auth-User Auth-User AUTH_TYPE Proxy-User Http-X-User OIDC_CLAIM_sub OIDC-Anything Oidc.Access.Token SSL_CLIENT_CERT " +
			"Ssl-Client-S-Dn X-SSL-Client-Cert X-Client-Cert X_Client_Cert X-Client-Verify Client-Cert Shib-Session-Id eppn SM_USER iv-user Tailscale-User-Login X-Ms-Client-Principal " +
			"Shiny-Server-Credentials SHINY_SERVER_CREDENTIALS X-SP-UserId X-Streamlit-User X-Proxy-Roles X-Proxy-Ext-Namespace X-Endpoint-API-UserInfo X-Apigateway-Event " +
			"X-Amzn-Request-Context eduPersonAffiliation SSLClientCertCN Cf-Client-Cert-Der-Base64"},
		{identifies | peers, "X-Forwarded-User X-Forwarded-Preferred-Username X-Forwarded-Access-Token X-Forwarded-Client-Cert WL-Proxy-Client-Cert"},
		{identifies | routes | peers, "$WSRU $WSRA"},
		{suspects, "Auth-Token X-Client-Version x_client_anything Impersonate-User"},
		{free, "- Http- Http Remote Remoteuser X-Auth-Token X-Username X-User-Agent User-Agent Xremote-User X-Forward X-Forwarder Forwarde X-Original X-Realm Host-Hint " +
			"X-Requested-With X-CSRF-Token X-Xsrf-Token Dpop Lock-Token Timeout If-Match If-None-Match Range Accept-Language Accept-Encoding Upgrade-Insecure-Requests Via " +
			"Content-Encoding Content-Range Sec-Gpc Sec-Ch-Ua Priority Dnt Cache-Control Traceparent X-Request-Id Idempotency-Key X-Middleware-Prefetch X-Nextjs-Data Server-Timing " +
			"X_Custom.Name Last-Event-Id Hx-Request Grpc-Status Cf-Access-Client-Id " +
			"X-Amzn-Trace-Id X-Amz-Date X-Sp X-Proxy X-Goog-Api-Key X-Ms-Client-Request-Id X-User-Id X-User-Email Uid Client Access-Token X-Hasura-Role Ocs-Apirequest Oc-Checksum " +
			"Private-Token Job-Token Git-Protocol X-Grafana-Org-Id X-Scope-Orgid Turbo-Frame X-Inertia Next-Action Apollo-Require-Preflight Docker-Content-Digest X-Registry-Auth " +
			"Tus-Resumable Upload-Offset Prefer Brief Schedule-Reply If-Schedule-Tag-Match Ordering-Type Translate X-Svn-Options X-Hgarg-1 Kbn-Xsrf X-Vault-Token X-Redmine-Api-Key"},
	} {
		for name := range strings.FieldsSeq(row.names) {
			assert.Equal(t, row.class, headername.Lookup(name).Class, "%s: want %v", name, row.class)
		}
	}
	assert.Zero(t, *headername.Lookup(""))
	assert.Equal(t, headername.Identifies, headername.Lookup("Remote-"+strings.Repeat("x", 2*headername.MaxName)).Class)
}

// TestTable: every entry is in the form that names are compared in, said once, and says why.
func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for e := range headername.Entries {
		assert.Equal(t, e.Name, headername.FoldString(e.Name))
		assert.Less(t, len(e.Name), headername.MaxName)
		assert.False(t, seen[e.Name], "%s is there twice", e.Name)
		seen[e.Name] = true
		assert.NotEmpty(t, e.Reason, e.Name)
		assert.NotEqual(t, "none", e.Class.String(), e.Name)
		for _, name := range []string{e.Name, strings.ToUpper(e.Name), strings.ReplaceAll(e.Name, "-", "_"), strings.ReplaceAll(e.Name, "-", "."), "HTTP_" + e.Name} {
			if e.Prefix {
				name += "x"
			}
			assert.NotZero(t, headername.Lookup(name).Class, name)
		}
	}
	assert.Greater(t, len(seen), 250)
}

func TestMayPass(t *testing.T) {
	for name, want := range map[string]string{
		"X-HTTP-Method-Override": "", "X-Original-Url": "", "X-Forwarded-Prefix": "", "X-Client-Version": "", "Script-Name": "", "X_Api_Key": "", "x.y": "",
		"SCRIPT_NAME": "another spelling", "X_HTTP_Method_Override": "another spelling", "Http-Script-Name": "another spelling", "X.Forwarded.For": "another spelling",
		"Content_Length": "another spelling", "Http-Cookie": "another spelling", "Sec_Fetch_Site": "another spelling",
		"Content-Length": "passed on anyway", "Cookie": "passed on anyway", "X-Requested-With": "passed on anyway", "Http-X": "passed on anyway",
		"Remote-User": "nobody outside", "remote_user": "nobody outside", "X-AAPrincipal": "nobody outside", "OIDC_CLAIM_sub": "nobody outside", "X-Forwarded-User": "nobody outside",
		"": "want a header's name", "a b": "want a header's name", "a:": "want a header's name", "é": "want a header's name", strings.Repeat("x_", 33): "want a header's name",
	} {
		if err := headername.MayPass(name); want == "" {
			assert.NoError(t, err, name)
		} else {
			assert.ErrorContains(t, err, want, "%q", name)
		}
	}
}

func TestIsPlain(t *testing.T) {
	for name, want := range map[string][2]bool{ // plain, own
		"Content-Length": {true, true}, "X-A": {true, true}, "-": {true, true}, "0": {true, true}, "Http-": {true, true},
		"Http-Content-Length": {true, false}, "HTTP_CONTENT_LENGTH": {}, "Content_Length": {}, "Content.Length": {}, "X-A ": {}, "": {}, "X-É": {}, "X~A": {},
	} {
		assert.Equal(t, want, [2]bool{headername.IsPlain(name), headername.IsOwn(name)}, "%q", name)
	}
	for c := range 256 {
		letterOrDigit := c < 0x80 && strings.ContainsRune("-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", rune(c))
		assert.Equal(t, letterOrDigit, headername.IsPlain("X"+string([]byte{byte(c)})), "%q", c)
	}
}

// FuzzFold: the form in which names are compared says the same whatever case or
// separators they are written in, folding it again changes nothing, and what is known
// about a name does not depend on its spelling.
func FuzzFold(f *testing.F) {
	for _, name := range []string{
		"Remote-User", "remote_user", "HTTP_REMOTE_USER", "Http-Http-X", "http-", "HTTP", "", "X.Y", "é", "x", "x-", "X-A", "$WSRU", "Content_Length",
		strings.Repeat("Http-", 30) + "Remote-User",
	} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		folded := headername.FoldString(name)
		assert.LessOrEqual(t, len(folded), headername.MaxName)
		assert.Empty(t, strings.Trim(folded, "abcdefghijklmnopqrstuvwxyz0123456789-"))
		assert.False(t, headername.IsOwn(name) && !headername.IsPlain(name))
		if folded != "" && len(folded) < headername.MaxName {
			for _, spelled := range []string{folded, "HTTP_" + strings.ToUpper(folded), strings.ReplaceAll(folded, "-", "_")} {
				assert.Equal(t, folded, headername.FoldString(spelled))
				assert.Equal(t, headername.Lookup(name), headername.Lookup(spelled))
			}
		}
	})
}

func BenchmarkLookup(b *testing.B) {
	names := strings.Fields("Accept Accept-Encoding Accept-Language Cache-Control Connection Cookie Priority Referer Sec-Ch-Ua Sec-Ch-Ua-Mobile " +
		"Sec-Fetch-Dest Sec-Fetch-Mode Sec-Fetch-Site Sec-Fetch-User Upgrade-Insecure-Requests User-Agent X-Requested-With")
	b.ReportAllocs()
	for b.Loop() {
		for _, name := range names {
			if !headername.IsPlain(name) || headername.Lookup(name).Class&headername.Identifies != 0 {
				b.Fatal(name)
			}
		}
	}
}
