package gateway

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/internal/headername"
)

// forgedNames are headers that the README's configurations keep from the application.
const forgedNames = "Remote-User Remote-Groups Remote-Name Remote-Email X-Remote-User X-Remote-Groups X-User X-Auth-User Auth-User Auth-Type Proxy-User X-Authenticated-User " +
	"X-WebAuth-User X-Auth-Request-User X-Auth-Request-Email X-Forwarded-User X-Forwarded-Email X-Forwarded-Groups X-Forwarded-Preferred-Username X-Forwarded-Access-Token " +
	"X-AAPrincipal X-AAPtags X-AAAuth X-AASSO X-AAIssue X-AALast X-AALife X-AATimeout X-AAID OIDC-Claim-Sub " +
	"SSL-Client-Cert SSL-Client-Verify SSL-Client-S-DN X-SSL-Client-Cert X-SSL-Client-Verify X-SSL-Client-S-DN X-Client-Cert Client-Cert " +
	"Script-Name Path-Info Path-Translated Request-Uri X-Script-Name X-Original-URL X-Original-Host X-Rewrite-URL X-Override-URL X-Host X-HTTP-Host-Override " +
	"X-Scheme X-Url-Scheme Front-End-Https Proxy X-Accel-Redirect X-Accel-Mapping X-Sendfile X-Sendfile-Type X-HTTP-Method X-HTTP-Method-Override X-Method-Override " +
	"Forwarded X-Forwarded-Ssl X-Forwarded-Scheme X-Client-IP Client-IP True-Client-IP X-Cluster-Client-IP CF-Connecting-IP"

// frontNames sends what some program takes for the path, the method, the host, the client
// or the person, under its name and in other spellings.
func frontNames(t *testing.T, w *world) {
	const forged = "forged-0009"
	v := w.loggedIn("test0001")
	for _, row := range []struct{ path, told string }{{"/public/a", ""}, {"/optional", "test0001"}, {"/private/", "test0001"}} {
		t.Run(row.path, func(t *testing.T) {
			for name := range strings.FieldsSeq(forgedNames) {
				require.NotZero(t, headername.Lookup(name).Class, name)
				answer := v.get(row.path, header(http.CanonicalHeaderKey(name), forged), header("X-Requested-With", "XMLHttpRequest"))
				require.Equal(t, http.StatusOK, answer.StatusCode, name)
				got := w.backend.one(t)
				requireNotTold(t, got.Header, name, forged)
				assert.Equal(t, row.told, strings.Join(got.Header["Remote-User"], ","))
				assert.Equal(t, []string{"XMLHttpRequest"}, got.Header["X-Requested-With"], "what is no trick arrives")
			}
			// The front server removes it, or the gateway says no.
			for name := range strings.FieldsSeq(forgedNames + " Content-Length Transfer-Encoding Cookie Origin $WSRU") {
				for _, odd := range []string{"_", ".", "!", "~", "$", "%"} {
					odd := strings.ReplaceAll(name, "-", odd)
					if headername.IsPlain(odd) {
						continue
					}
					answer := v.get(row.path, header(odd, forged))
					all := w.backend.take()
					if answer.StatusCode == http.StatusForbidden {
						assert.Empty(t, all, odd)
						assert.Contains(t, w.log.String(), "the front server passes on")
						continue
					}
					require.Equal(t, http.StatusOK, answer.StatusCode, odd)
					require.Len(t, all, 1, odd)
					requireNotTold(t, all[0].Header, odd, forged)
				}
			}
		})
	}
}

func requireNotTold(t *testing.T, h http.Header, name, forged string) {
	t.Helper()
	for _, values := range h {
		for _, value := range values {
			require.NotContains(t, value, forged, name)
		}
	}
}

// TestForwardAuthNames: what comes with the question goes on to the application, so that a
// name which some program takes for another means no.
func TestForwardAuthNames(t *testing.T) {
	w := askingWorld(t, loopback)
	for name, want := range map[string]int{
		"SCRIPT_NAME": 403, "Script_Name": 403, "content_length": 403, "Content.Length": 403, "Remote_User": 403, "X_AAPrincipal": 403, "OIDC_CLAIM_sub": 403,
		"SSL_CLIENT_CERT": 403, "X_Forwarded_For": 403, "X_HTTP_Method_Override": 403, "Cookie_": 200, "HTTP_PROXY": 403, "sec_fetch_site": 403, "$WSRU": 403,
		"Http-Remote-User": 403, "Http-Script-Name": 403, "Http-X-Requested-With": 200,
		"X_Api_Key": 200, "X.Y": 200, "X_Client_Id": 200, "Remote-User": 200, "X-Original-Url": 403, "X-HTTP-Method-Override": 200, "X-Requested-With": 200,
	} {
		for _, path := range []string{authPath, orLoginPath} {
			answer := w.visitor("").get(path, about("GET", "/public/a"), header(name, "x"))
			assert.Equal(t, want, answer.StatusCode, name)
		}
	}
}

// TestForwardAuthAnswerNames: the names in the gateway's answer are ones that the same
// table keeps clients from sending.
func TestForwardAuthAnswerNames(t *testing.T) {
	names := newIdentity([]string{sendRemoteUser, sendXForwardedUser, sendXAA}).names
	require.Len(t, names, 11)
	for _, name := range names {
		assert.True(t, headername.IsOwn(name))
		assert.NotZero(t, headername.Lookup(name).Class&headername.Identifies, name)
	}
}

// TestFrontOddNames: nginx by itself, and Caddy as the README has it, pass on plain names
// alone. (Traefik has no such rule: what matters the gateway refuses.)
func TestFrontOddNames(t *testing.T) {
	for name, start := range map[string]front{"nginx": startNginx, "Caddy": startCaddy} {
		t.Run(name, func(t *testing.T) {
			w := frontWorld(t, start)
			for _, c := range oddBytes {
				for _, name := range []string{"X?Custom", "Script?Name", "X?", "?X"} {
					require.Equal(t, http.StatusOK, w.visitor("").get("/public/a", header(strings.Replace(name, "?", string(c), 1), "1")).StatusCode)
					for name := range w.backend.one(t).Header {
						assert.True(t, headername.IsPlain(name), name)
					}
				}
			}
		})
	}
}
