#!/bin/sh
# Runs a PostgreSQL of its own on a socket in a new directory, and prints the directory
# when the server answers. It takes orders on its standard input, "kill" and "start", and
# prints a line when one is carried out. It ends with its standard input, and so with the
# program that started it, however that ends. Status 3 says that PostgreSQL is not
# installed. Arguments are settings, such as fsync=on.
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
options="-k $dir -c listen_addresses= -c max_connections=300 \
	-c fsync=off -c full_page_writes=off -c synchronous_commit=off -c autovacuum=off -c shared_buffers=64MB"
for setting; do
	options="$options -c $setting"
done

start() {
	$as "$bin/pg_ctl" start -s -w -D "$dir/data" -l "$dir/data/log" -o "$options" >pg_ctl.log 2>&1
}

$as "$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C --no-sync >initdb.log 2>&1 || { cat initdb.log >&2; exit 1; }
start || { cat "$dir/data/log" >&2; exit 1; }
echo "$dir"
while read -r order; do
	case $order in
	kill)
		pid=$(head -n 1 data/postmaster.pid)
		kill -STOP "$pid" # it starts no more of them
		kill -KILL "$pid" $(cat "/proc/$pid/task/$pid/children")
		# In a container whose first process is no init, the dead stay in the table of
		# processes, and the next server would take them for living.
		rm -f data/postmaster.pid .s.PGSQL.*
		;;
	start) start || { cat pg_ctl.log data/log >&2; exit 1; } ;;
	esac
	echo "$order"
done
[ ! -e data/postmaster.pid ] || $as "$bin/pg_ctl" stop -s -m immediate -D "$dir/data"
