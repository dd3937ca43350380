-- Times are Unix seconds; 0 stands for "none". Hashes are SHA-256. Lists are one text:
-- scopes with a blank between them, redirect URIs with a line break.
--
-- There are no foreign keys: SQLite heeds them only where the connection says so. What
-- has lost its parent counts for nothing, in every query, and is swept away.
--
-- The types are SQLite's; for PostgreSQL they are replaced as migrate.go says.

CREATE TABLE wlsoauth_clients (
	id           TEXT NOT NULL PRIMARY KEY,
	owner        TEXT NOT NULL,
	name         TEXT NOT NULL,
	description  TEXT NOT NULL,
	website      TEXT NOT NULL,
	secret_hash  BLOB, -- none: it is a public one
	redirect_uris TEXT NOT NULL,
	created_at   INTEGER NOT NULL,
	updated_at   INTEGER NOT NULL
);

CREATE INDEX wlsoauth_clients_owner ON wlsoauth_clients (owner);

-- The origins of the redirect URIs of public applications, whose pages may call.
CREATE TABLE wlsoauth_origins (
	origin    TEXT NOT NULL,
	client_id TEXT NOT NULL,
	PRIMARY KEY (origin, client_id)
) WITHOUT ROWID;

CREATE INDEX wlsoauth_origins_client ON wlsoauth_origins (client_id);

CREATE TABLE wlsoauth_consents (
	principal  TEXT NOT NULL,
	client_id  TEXT NOT NULL,
	scopes     TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	updated_at INTEGER NOT NULL,
	PRIMARY KEY (principal, client_id)
);

CREATE INDEX wlsoauth_consents_client ON wlsoauth_consents (client_id);

-- A grant is the family of tokens that began with one code. It is there as long as it
-- is good.
CREATE TABLE wlsoauth_grants (
	id         TEXT NOT NULL PRIMARY KEY,
	client_id  TEXT NOT NULL,
	principal  TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	expires_at INTEGER NOT NULL
);

CREATE INDEX wlsoauth_grants_client ON wlsoauth_grants (client_id, principal);

CREATE INDEX wlsoauth_grants_expiry ON wlsoauth_grants (expires_at);

CREATE TABLE wlsoauth_codes (
	hash         BLOB NOT NULL PRIMARY KEY,
	grant_id     TEXT NOT NULL,
	client_id    TEXT NOT NULL,
	principal    TEXT NOT NULL,
	redirect_uri TEXT NOT NULL,
	scopes       TEXT NOT NULL,
	challenge    TEXT NOT NULL,
	created_at   INTEGER NOT NULL,
	expires_at   INTEGER NOT NULL,
	used_at      INTEGER NOT NULL
) WITHOUT ROWID;

CREATE INDEX wlsoauth_codes_client ON wlsoauth_codes (client_id, principal);

CREATE INDEX wlsoauth_codes_expiry ON wlsoauth_codes (expires_at);

-- Refresh tokens that were given one for the other, a line of them, are one row. Its hash
-- is that of the part that they have in common, and used_at is when the one before the
-- current one was used.
CREATE TABLE wlsoauth_tokens (
	hash         BLOB NOT NULL PRIMARY KEY,
	current_hash BLOB, -- of a line: of the refresh token that is good
	previous_hash BLOB, -- of a line: of the one that it was given for
	id           TEXT NOT NULL,
	kind         TEXT NOT NULL,
	grant_id     TEXT NOT NULL,
	client_id    TEXT NOT NULL,
	principal    TEXT NOT NULL,
	name         TEXT NOT NULL,
	scopes       TEXT NOT NULL,
	created_at   INTEGER NOT NULL,
	expires_at   INTEGER NOT NULL,
	last_used_at INTEGER NOT NULL,
	used_at      INTEGER NOT NULL
) WITHOUT ROWID;

CREATE INDEX wlsoauth_tokens_grant ON wlsoauth_tokens (grant_id) WHERE grant_id <> '';

CREATE INDEX wlsoauth_tokens_client ON wlsoauth_tokens (client_id) WHERE client_id <> '';

-- What an application got for itself: of the tokens of people it has many more.
CREATE INDEX wlsoauth_tokens_own ON wlsoauth_tokens (client_id) WHERE client_id <> '' AND grant_id = '';

CREATE INDEX wlsoauth_tokens_person ON wlsoauth_tokens (principal) WHERE kind = 'personal';

CREATE INDEX wlsoauth_tokens_expiry ON wlsoauth_tokens (expires_at) WHERE expires_at > 0;
