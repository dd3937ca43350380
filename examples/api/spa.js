// The application. All of it runs in the browser, on a page of another origin than the
// site's, and it has no secret: the site knows it by where its page is.
"use strict";

const page = document.querySelector("main");
const { site, library } = page.dataset;
const here = location.origin + "/"; // the redirect URI
const byID = (id) => document.getElementById(id);

let tokens; // kept nowhere else, so that they go with the page

function show(name) {
	page.dataset.page = name;
	for (const section of document.querySelectorAll("section")) section.hidden = section.id !== name;
}

// act does something when a button is pressed, and shows what came of it.
function act(id, action) {
	byID(id).addEventListener("click", () => attempt(action));
}

async function attempt(action) {
	byID("heard").textContent = "";
	try {
		byID("heard").textContent = await action();
	} catch (error) {
		byID("heard").textContent = "Refused: " + error.message;
	}
}

// metadata asks the site where everything is (RFC 8414).
async function metadata() {
	const answer = await fetch(site + "/.well-known/oauth-authorization-server");
	const about = await answer.json();
	if (about.issuer !== site) throw new Error("the metadata are of another server");
	return about;
}

// post calls an endpoint of the site as this application, and returns what it gives.
async function post(endpoint, fields) {
	const body = new URLSearchParams({ client_id: sessionStorage.getItem("client"), ...fields });
	const answer = await fetch(endpoint, { method: "POST", body });
	const text = await answer.text();
	const told = text === "" ? {} : JSON.parse(text);
	if (!answer.ok) throw new Error(told.error + ": " + told.error_description);
	return told;
}

// call uses an API by the token, and by nothing that a browser sends by itself.
async function call(address, options = {}) {
	const headers = { Authorization: "Bearer " + tokens.access_token, ...options.headers };
	const answer = await fetch(address, { ...options, headers });
	const text = await answer.text();
	if (!answer.ok) throw new Error(answer.status + ": " + text);
	return text;
}

const base64url = (bytes) => btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));

// connect sends the person to the site, which asks them (RFC 6749 section 4.1, with PKCE).
async function connect() {
	const state = random(), verifier = random();
	const challenge = base64url(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier))));
	const to = new URL((await metadata()).authorization_endpoint);
	to.search = new URLSearchParams({
		response_type: "code", client_id: sessionStorage.getItem("client"), redirect_uri: here,
		scope: "loans:read records:read records:write", state, code_challenge: challenge, code_challenge_method: "S256",
	});
	sessionStorage.setItem("state", state);
	sessionStorage.setItem("verifier", verifier);
	location.assign(to);
	return "You are being sent to the site.";
}

// callback takes what the site sent the person back with.
async function callback(query) {
	const state = sessionStorage.getItem("state"), verifier = sessionStorage.getItem("verifier");
	sessionStorage.removeItem("state"); // they work once
	sessionStorage.removeItem("verifier");
	if (!state || query.get("state") !== state) throw new Error("this answer is not for this tab");
	if (query.get("iss") !== site) throw new Error("this answer is of another server"); // RFC 9207
	if (query.has("error")) throw new Error(query.get("error"));
	const { token_endpoint } = await metadata();
	tokens = await post(token_endpoint, { grant_type: "authorization_code", code: query.get("code"), redirect_uri: here, code_verifier: verifier });
	show("connected");
	return "The site lets this page act for you: " + tokens.scope;
}

act("setup-button", async () => {
	sessionStorage.setItem("client", byID("client-id").value.trim());
	show("connect");
	return "The page is set up.";
});
act("connect-button", connect);
act("read", () => call(site + "/api/records"));
act("add", () => call(site + "/api/records", {
	method: "POST", headers: { "Content-Type": "application/json" },
	body: JSON.stringify({ title: byID("title").value, text: "Added by a page of another origin." }),
}));
act("loans", () => call(library + "/loans"));
act("refresh", async () => {
	const { token_endpoint } = await metadata();
	tokens = await post(token_endpoint, { grant_type: "refresh_token", refresh_token: tokens.refresh_token });
	return "The site gave new tokens for the old ones.";
});
act("disconnect", async () => {
	const { revocation_endpoint } = await metadata();
	await post(revocation_endpoint, { token: tokens.refresh_token }); // RFC 7009
	tokens = undefined;
	show("connect");
	return "The tokens are given back.";
});

byID("callback").textContent = here;
const query = new URLSearchParams(location.search);
history.replaceState(null, "", "/"); // no code in the address, nor in what is remembered of it
show(sessionStorage.getItem("client") ? "connect" : "setup");
if (query.has("state")) attempt(() => callback(query));
