// A real, certified OpenID Connect provider for tests. It is told on standard input what it
// is to be, a line of JSON for each order, and answers each with a line of JSON; it ends with
// its input. Its people are whoever types a name and the password "test".

import { createServer } from 'node:http';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';
import { Provider } from 'oidc-provider';
import MemoryAdapter from 'oidc-provider/lib/adapters/memory_adapter.js';

// Standard output is for answers alone.
console.info = console.log = console.warn = console.error;


// The clock goes ahead by so many milliseconds.
let ahead = 0;
const RealDate = Date;
globalThis.Date = class extends RealDate {
  constructor(...args) { args.length ? super(...args) : super(RealDate.now() + ahead); }
  static now() { return RealDate.now() + ahead; }
};

const acr = 'two-factors';
const state = { issuer: '', keys: [], groups: {} };
const requests = []; // method and path of each
let provider, serve;

const newKey = () => ({
  ...generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }),
  kid: randomUUID(), use: 'sig', alg: 'RS256',
});

// What is known of people and clients outlives the provider, which is made anew for new keys.
function make() {
  provider = new Provider(state.issuer, {
    adapter: (model) => new MemoryAdapter(model),
    jwks: { keys: state.keys },
    cookies: { keys: ['a key of tests alone'] },
    pkce: { required: () => true },
    scopes: ['openid', 'profile', 'email'],
    claims: { openid: ['sub', 'upn', 'oid', 'groups', 'acr', 'amr'], profile: ['name'], email: ['email'] },
    conformIdTokenClaims: false, // in the ID token, as Entra ID does
    acrValues: [acr],
    clientAuthMethods: ['client_secret_basic', 'private_key_jwt'],
    responseTypes: ['code'],
    ttl: { Grant: 86400, IdToken: 3600, AccessToken: 600, Session: 86400, Interaction: 3600, AuthorizationCode: 60 },
    features: {
      devInteractions: { enabled: false },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: { enabled: true, logoutSource, postLogoutSuccessSource },
    },
    interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
    findAccount: (ctx, id) => ({ accountId: id, claims: () => claims(id) }),
    loadExistingGrant, // nobody is asked for consent
    renderError: (ctx, out) => { ctx.type = 'html'; ctx.body = page('Error', `<pre>${escape(JSON.stringify(out))}</pre>`); },
  });
  provider.on('server_error', (ctx, err) => console.error(err));
  provider.on('backchannel.error', (ctx, err) => console.error('logout token:', err.message));
  serve = provider.callback();
}

function claims(id) {
  const name = id.replace(/^account-/, '');
  return {
    sub: id, upn: `${name}@cam.ac.uk`, oid: `oid-${name}`, name: `Name of ${name}`, email: `${name}@elsewhere.example`,
    groups: state.groups[name] ?? [],
  };
}

async function loadExistingGrant(ctx) {
  const { client, session } = ctx.oidc;
  const id = session.grantIdFor(client.clientId);
  const grant = id ? await provider.Grant.find(id) : new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
  grant.addOIDCScope('openid profile email');
  await grant.save();
  return grant;
}

const escape = (text) => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
const page = (title, body) => `<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>${title}</title></head><body><main><h1>${title}</h1>${body}</main></body></html>`;

function logoutSource(ctx, form) {
  ctx.body = page('Log out?', `${form}<button form="op.logoutForm" name="logout" value="yes">Log out</button>`);
}

function postLogoutSuccessSource(ctx) { ctx.body = page('Logged out', ''); }

const loginForm = `<form method="post">
<label>Name <input name="name" autocomplete="username"></label>
<label>Password <input name="password" type="password" autocomplete="current-password"></label>
<button name="go" value="login">Log in</button> <button name="go" value="cancel">Cancel</button>
</form>`;

// interact is the provider's own login page.
async function interact(req, res) {
  const { params } = await provider.interactionDetails(req, res);
  let body = '';
  for await (const part of req) body += part;
  const form = new URLSearchParams(body);
  if (req.method === 'POST' && form.get('go') === 'cancel') {
    return provider.interactionFinished(req, res, { error: 'access_denied', error_description: 'the person pressed Cancel' });
  }
  if (req.method === 'POST' && form.get('password') === 'test' && form.get('name')) {
    const strong = (params.acr_values ?? '').split(' ').includes(acr);
    const login = { accountId: `account-${form.get('name')}`, amr: strong ? ['pwd', 'mfa'] : ['pwd'], ...(strong && { acr }) };
    return provider.interactionFinished(req, res, { login });
  }
  res.setHeader('Content-Type', 'text/html; charset=utf-8');
  res.end(page('Log in', loginForm));
}

const server = createServer((req, res) => {
  requests.push(`${req.method} ${req.url.replace(/\?.*/, '')}`);
  if (!req.url.startsWith('/interaction/')) return serve(req, res);
  interact(req, res).catch((err) => { res.statusCode = 400; res.end(page('Error', escape(String(err)))); });
});

const orders = {
  // start listens at a port.
  start: ({ port, keys, groups }) => new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      state.issuer = `http://127.0.0.1:${server.address().port}`;
      state.keys = keys ?? [newKey()];
      state.groups = groups ?? {};
      make();
      resolve();
    });
  }),
  // client registers a client, given its metadata, or changes it.
  client: async (metadata) => {
    make(); // which forgets what it knew of it
    await new provider.Client(metadata); // throws what is wrong with it
    await new MemoryAdapter('Client').upsert(metadata.client_id, metadata);
  },
  // rotate signs with a new key, and keeps the old ones among its keys or not.
  rotate: ({ keep }) => {
    state.keys = [newKey(), ...(keep ? state.keys : [])];
    make();
  },
  clock: ({ seconds }) => { ahead = seconds * 1000; },
  // requests forgets those that it returns.
  requests: () => requests.splice(0),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { order, with: given } = JSON.parse(line);
  let answer;
  try {
    answer = { result: await orders[order](given), issuer: state.issuer, keys: state.keys };
  } catch (err) {
    answer = { error: `${err.message} ${err.error_description ?? ''}` };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
process.exit(0);
