# Sourced by run.sh for databases.sh: the servers and clients, and a data directory of PostgreSQL that is made here, where it takes seconds.

postgres=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)
for tool in redis-server redis-cli "$postgres/postgres" "$postgres/psql"; do
	command -v "$tool" >/dev/null || {
		say "skip databases: $tool is missing: apt-get install redis-server redis-tools postgresql-15 postgresql-client-15"
		finish
	}
done

# PostgreSQL refuses to run as root.
as_postgres() { if [ "$(id -u)" = 0 ]; then setpriv --reuid postgres --regid postgres --clear-groups "$@"; else "$@"; fi; }
owner=$(if [ "$(id -u)" = 0 ]; then echo postgres; else id -un; fi)

chmod 755 "$work"
install -d -m 700 -o "$owner" "$work/cluster"
# One database and one small segment of its log: every megabyte has to be unpacked by the guest.
as_postgres "$postgres/initdb" --pgdata "$work/cluster" --username postgres --auth trust --encoding UTF8 --locale C --wal-segsize 1 \
	--no-sync --no-instructions >"$work/initdb.log" 2>&1 || { say "FAIL databases: initdb: $(tail -1 "$work/initdb.log")"; finish; }
# The guest has no time zones but GMT.
sed -i -E '/^(log_)?timezone/d' "$work/cluster/postgresql.conf"
# Single-user mode takes a statement a line.
as_postgres "$postgres/postgres" --single -D "$work/cluster" postgres >"$work/initdb.log" 2>&1 <<-'SQL'
	UPDATE pg_database SET datistemplate = false
	DROP DATABASE template0
	DROP DATABASE template1
	CREATE TABLE item (id int PRIMARY KEY, name text, price int)
	INSERT INTO item SELECT i, 'item ' || i, i * 10 FROM generate_series(1, 100) i
	CREATE TABLE copied (id int, name text)
SQL
cp -r "$work/cluster" "$work/payload/cluster"
install_program "$postgres/postgres" "$work/payload$postgres/postgres"
install_program "$postgres/psql" "$work/payload/usr/bin/psql"
install_program "$(command -v redis-server)" "$work/payload/usr/bin/redis-server"
install_program "$(command -v redis-cli)" "$work/payload/usr/bin/redis-cli"
share=/usr/share/postgresql/$(basename "$(dirname "$postgres")")
# It looks for the folder of its modules, none of which the tests need.
mkdir -p "$work/payload$share" "$work/payload$(dirname "$postgres")/lib"
cp -r "$share/timezonesets" "$work/payload$share/"
ln -s "$postgres/postgres" "$work/payload/usr/bin/postgres"
echo 'postgres:x:101:101:postgres:/tmp:/bin/sh' >>"$work/payload/etc/passwd"
echo 'postgres:x:101:' >>"$work/payload/etc/group"
