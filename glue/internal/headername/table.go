package headername

// groups is the table: names as Fold returns them, with '*' at the end of a prefix.
var groups = []struct {
	class  Class
	names  string
	reason string
}{
	{Frames, "content-length transfer-encoding", "it says where a body ends, and the next request begins"},
	{Frames, "connection keep-alive proxy-connection te trailer trailers upgrade expect http2-settings", "it says what becomes of the connection"},

	{Judged, "host", "it was compared with the site's hosts"},
	{Judged, "cookie cookie2", "it was searched for the login's own cookies"},
	{Judged, "authorization", "it was searched for names and passwords"},
	{Judged, "accept content-type origin referer sec-fetch-* sec-purpose sec-websocket-*", "whether a login, a form or another site's page is meant was found out from it"},
	{Judged, "destination depth overwrite if", "WebDAV has a second path in it, or how much is meant"},
	{Judged, "x-amz-copy-source x-amz-rename-source x-copy-from x-goog-copy-source x-ms-copy-source x-ms-rename-source", "object stores have a second path in it"},

	// Path, scheme and host.
	{Routes, "script-name path-info path-translated script-filename script-uri script-url request-uri query-string document-root document-uri php-self orig-path-info orig-script-name", "CGI, gunicorn and PHP take it for a variable that says which path is asked for"},
	{Routes, "context-prefix context-document-root redirect-url redirect-status redirect-uri unencoded-url iis-wasurlrewritten url", "a variable of Apache or IIS that frameworks take the path from"},
	{Routes, "php-value php-admin-value", "FastCGI takes it for PHP's settings"},
	{Routes, "uwsgi-*", "uWSGI takes it for a variable that says which application is asked for"},
	{Routes, "wsgi-url-scheme rack-url-scheme request-scheme https ssl", "CGI, WSGI, Rack and WordPress take it for the scheme"},
	{Routes, "server-name server-port server-protocol server-addr server-software gateway-interface", "CGI takes it for a variable of the server"},
	{Routes, "x-script-name x-script-filename x-path-info x-request-uri x-external-path x-replaced-path x-ingress-path x-vhm-* x-rstudio-request x-rstudio-root-path x-jfrog-override-base-url x-artifactory-override-base-url", "applications below a prefix take it for the path, or a part of it"},
	{Routes, "x-original-* x-rewrite-* x-override-* x-waws-unencoded-url x-ms-original-url", "Symfony, Laminas, Drupal and IIS take it for the path or the host"},
	{Routes, "x-middleware-subrequest* x-middleware-rewrite x-middleware-redirect x-middleware-set-cookie x-middleware-skip x-middleware-override-headers x-middleware-next x-middleware-invoke x-middleware-request-* x-invoke-* x-matched-path x-now-route-matches x-astro-path x-astro-locals", "Next.js and Astro take it for their own word about the path, and leave out checks"},
	{Routes, "x-envoy-*", "Envoy takes it for an order, and tells the path in it"},
	{Routes, "x-accel-* x-sendfile*", "Rack takes it for where files are that the front server is to send"},
	{Routes, "x-host x-http-host x-http-host-override x-host-override x-real-host x-backend-host x-server-name x-server-port", "frameworks take it for the host"},
	{Routes, "front-end-https x-https x-ssl x-use-ssl x-scheme x-url-scheme x-proto x-protocol x-real-scheme x-real-proto x-arr-ssl fastly-ssl wl-proxy-ssl", "frameworks take it for the scheme"},
	{Routes, "proxy", "CGI makes HTTP_PROXY of it, which programs take for the proxy that they shall use (httpoxy)"},

	{Methods, "request-method method method-override x-method x-http-method* x-method-override* x-request-method x-http-verb x-http-verb-override x-verb-override", "Rack, Rails, Symfony, Laravel, Werkzeug and OData take it for the method"},

	// Where a request comes from.
	{Peers, "forwarded forwarded-* x-forwarded*", "front servers tell address, scheme, host and path in it"},
	{Peers, "x-forward-for x-real-ip x-real-port x-client-ip x-clientip x-client-port x-client-address client-ip client-address true-client-ip x-true-client-ip x-cluster-client-ip x-originating-ip x-source-ip x-caller-ip x-peer-ip iv-remote-address x-coming-from coming-from", "front servers tell the client's address in it"},
	{Peers, "remote-addr remote-host remote-port x-remote-ip x-remote-addr x-remote-host x-remote-port x-remote-proto", "CGI takes it for the client's address"},
	{Peers, "x-proxyuser-ip proxy-client-ip wl-proxy-client-ip wl-proxy-*", "application servers take it for what their front server says"},
	{Peers, "cf-connecting-* cf-pseudo-ipv4 cf-visitor cf-ipcountry fastly-client-ip fastly-client fly-client-ip fly-forwarded-* do-connecting-ip x-nf-client-connection-ip cdn-src-ip cdn-real-ip ali-cdn-real-ip x-vercel-forwarded-for x-vercel-proxied-for x-vercel-ip-* incap-client-ip x-sucuri-clientip x-azure-clientip x-azure-socketip cloudfront-*", "content networks tell the client's address in it"},

	// Who sends it.
	{Identifies, "remote-* x-remote-*", "CGI and its heirs take it for who is logged in"},
	{Identifies, "x-aa* aaprincipal aaptags aaauth aasso aaissue aalast aalife aatimeout aaid", "mod_ucam_webauth tells who is logged in by it"},
	{Identifies, "auth-user* auth-type auth-pass* auth-name auth-principal auth-login auth-email auth-mail auth-group* auth-role* auth-subject auth-identity auth-request-* logon-user php-auth-* unmapped-remote-user", "CGI, IIS and PHP take it for who is logged in"},
	{Identifies, "x-auth-request-* x-auth-user* x-auth-name x-auth-email x-auth-group* x-auth-role* x-auth-subject x-auth-principal x-authenticated-* x-vouch-* x-pomerium-* x-authentik-* x-token-subject x-token-user-* x-userinfo", "oauth2-proxy and other gateways tell who is logged in by it"},
	{Identifies | Peers, "x-forwarded-user* x-forwarded-email* x-forwarded-group* x-forwarded-preferred-username x-forwarded-access-token x-forwarded-id-token x-forwarded-authorization x-forwarded-name x-forwarded-login x-forwarded-role*", "oauth2-proxy, SonarQube and Jenkins take it for who is logged in"},
	{Identifies, "x-user x-principal x-sso-user proxy-user proxy-remote-* x-proxy-user* x-proxy-role* x-proxy-group* x-proxy-ext-* x-proxy-remote-* x-webauth-* webauth-*", "Grafana, Gitea, Nexus, OpenSearch and others believe a front server who it is by it"},
	{Identifies, "oidc-* x-oidc-* shib-* x-shib-* ajp-* mellon-* cas-* cosign-* eppn affiliation unscoped-affiliation primary-affiliation entitlement persistent-id targeted-id pairwise-id subject-id ismemberof eduperson*", "mod_auth_openidc, Shibboleth, Mellon, CAS and Cosign tell who is logged in by it"},
	{Identifies, "sm-* smuser iv-user iv-groups iv-creds oam-* osso-* ct-remote-user", "SiteMinder, WebSEAL, Oracle and ClearTrust tell who is logged in by it"},
	{Identifies | Routes | Peers, "-ws*", "WebSphere takes $WSRU for who is logged in, and its kin for address, scheme and host"},
	{Identifies, "cf-access-authenticated-user-* cf-access-jwt-assertion tailscale-user-* x-goog-authenticated-user-* x-goog-iap-* x-amzn-oidc-* x-amzn-mtls-* x-ms-client-principal* x-ms-token-* x-consumer-* x-credential-* x-anonymous-consumer x-rstudio-username", "platforms tell who is logged in by it"},
	{Identifies, "shiny-server-credentials rstudio-connect-credentials posit-connect-user-* x-sp-user* x-sp-accesstoken x-sp-idtoken x-sp-refreshtoken x-streamlit-user* x-hass-user-* x-hass-is-admin sf-context-*", "Shiny, ShinyProxy, Streamlit, Home Assistant and Snowflake tell applications who is logged in by it"},
	{Identifies, "x-endpoint-api-userinfo x-apigateway-* x-amzn-request-context x-amzn-lambda-context ms-aspnetcore-*", "programs behind the gateways of Google and Amazon, or behind IIS, take who is logged in from it"},
	{Identifies, "ssl-* x-ssl-* x-tls-client-* x-client-cert* x-client-verify* x-client-verified x-client-dn x-client-s-dn x-client-i-dn x-client-subject* x-client-issuer* x-client-cn x-client-san x-client-serial x-client-fingerprint x-client-sha1 x-client-tls* x-client-ssl* x-client-user x-client-username x-client-principal client-cert client-cert-chain x-arr-clientcert tls-client-* sslclient* cf-client-cert-* cf-cert-*", "front servers tell the client's certificate in it"},
	{Identifies | Peers, "x-forwarded-client-* x-forwarded-tls-* x-forwarded-ssl-* wl-proxy-client-cert*", "front servers tell the client's certificate in it"},
	{Identifies | Peers, "x-appengine-*", "App Engine tells the client's address and the sender's name in it"},

	{Suspects, "auth-*", "some front server may tell who is logged in by it"},
	{Suspects, "impersonate-*", "Kubernetes does what is asked in that name, if whoever passes it on may"},
	{Suspects, "x-client-*", "some front server may tell the client's address or certificate in it"},
}
