#!/bin/sh
# Runs a PostgreSQL of its own on a socket in a new directory, and prints the directory
# when the server answers. It ends with its standard input, and so with the tests that
# started it, however they end. Status 3 says that PostgreSQL is not installed.
set -e
PATH="$PATH:$(ls -dr /usr/lib/postgresql/*/bin 2>/dev/null | tr '\n' ':')" # Debian keeps it off the PATH
initdb=$(command -v initdb) || exit 3
bin=$(dirname "$initdb")
dir=$(mktemp -d /tmp/pgXXXXXX) # short: a socket's path has 107 bytes at most
trap 'rm -rf "$dir"' EXIT
as=
if [ "$(id -u)" = 0 ]; then # whom it refuses to run for
	chown postgres "$dir"
	as="setpriv --reuid=postgres --regid=postgres --clear-groups"
fi
cd "$dir"
$as "$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C --no-sync >initdb.log 2>&1 || { cat initdb.log >&2; exit 1; }
$as "$bin/pg_ctl" start -s -w -D "$dir/data" -l "$dir/data/log" -o "-k $dir -c listen_addresses= -c max_connections=300 \
	-c fsync=off -c full_page_writes=off -c synchronous_commit=off -c autovacuum=off -c shared_buffers=64MB" || { cat "$dir/data/log" >&2; exit 1; }
echo "$dir"
read -r _ || true
$as "$bin/pg_ctl" stop -s -m immediate -D "$dir/data"
