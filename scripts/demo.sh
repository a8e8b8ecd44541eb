#!/usr/bin/env bash
# The whole product on one machine: a simulated Harbor with faults, the exporter, Prometheus with the
# shipped rules, Alertmanager, and the repair that its alerts wake. Everything runs on the loopback interface and in one temporary folder.
# shellcheck disable=SC2317 # run by the trap and by wait_for
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/packages.sh
source "$root/scripts/packages.sh"

usage() {
  cat <<'TEXT'
Usage: scripts/demo.sh [options]

Starts PostgreSQL, Redis, a simulated Harbor with faults, the exporter, Prometheus and Alertmanager on
free loopback ports, waits for the first alert, runs check, and prints what was found and where to look.
Then it takes away the file that pauses repairs: the alerts that Alertmanager posts wake them, the rows are
repaired, the alerts resolve, and what Harbor refused before it accepts again.
Needs a Debian-like system, the .NET 10 SDK, and root or sudo where packages are missing.

  --once           stop by itself after the repair
  --seed N         seed of the simulation (default 1): the same seed tells the same story
  --release R      Harbor release to simulate (default 2.11.0)
  --history D      simulated past before the start (default 30h)
  --limit S        seconds to wait for the first alert (default 120)
  --no-install     never install packages
  --help           show this text

The alerts' waiting times are shortened to seconds. Ctrl-C ends it and removes everything.
TEXT
}

once=false install=true seed=1 release=2.11.0 history=30h limit=120
while [[ $# -gt 0 ]]; do
  case $1 in
    --once) once=true ;;
    --no-install) install=false ;;
    --seed | --release | --history | --limit)
      [[ $# -gt 1 ]] || { echo "$1 needs a value." >&2; exit 2; }
      declare "${1#--}=$2"
      shift ;;
    --help | -h) usage; exit 0 ;;
    *) echo "Unknown option $1; see --help." >&2; exit 2 ;;
  esac
  shift
done

# ---- Starting and stopping ----

home=
declare -a names=() pids=()

say() { printf '%s\n' "$*"; }

log_tails() {
  local log
  for log in "$home"/logs/*.log; do
    [[ -s $log ]] || continue
    say "---- the end of $(basename "$log")"
    tail -n 20 "$log"
  done
}

is_alive() { kill -0 "$1" 2>/dev/null; }

clean_up() {
  local status=$? index
  trap - EXIT INT TERM
  if [[ $status -ne 0 && $status -ne 130 && -n $home ]]; then
    log_tails >&2
    status=1
  fi
  # In reverse, so that every client is gone before its server; SIGINT is PostgreSQL's fast shutdown.
  for ((index = ${#pids[@]} - 1; index >= 0; index--)); do
    if [[ ${names[index]} == postgresql ]]; then kill -INT "${pids[index]}" 2>/dev/null || true
    else kill -TERM "${pids[index]}" 2>/dev/null || true; fi
    for _ in {1..100}; do is_alive "${pids[index]}" || break; sleep 0.1; done
    kill -KILL "${pids[index]}" 2>/dev/null || true
    wait "${pids[index]}" 2>/dev/null || true
  done
  [[ -z $home ]] || rm -rf "$home"
  exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

fail() {
  say "demo: $*" >&2
  exit 1
}

# start NAME COMMAND...: in the background, with its output in a log of that name.
start() {
  local name=$1
  shift
  "$@" </dev/null >"$home/logs/$name.log" 2>&1 &
  names+=("$name")
  pids+=($!)
}

# wait_for SECONDS WHAT COMMAND...: asks twice a second; a program of ours that died ends the wait at once.
wait_for() {
  local end=$((SECONDS + $1)) what=$2 index
  shift 2
  until "$@" >/dev/null 2>&1; do
    for index in "${!pids[@]}"; do
      is_alive "${pids[index]}" || fail "${names[index]} ended while waiting for $what."
    done
    [[ $SECONDS -lt $end ]] || fail "waited too long for $what."
    sleep 0.5
  done
}

taken_ports=" "
# Sets $port. Below the range that the kernel hands out by itself, so that nobody takes it in between.
free_port() {
  while true; do
    port=$((20000 + RANDOM % 12000))
    [[ $taken_ports != *" $port "* ]] || continue
    # A connection that is refused is what is wanted here.
    if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
      taken_ports+="$port "
      return
    fi
  done
}

# PostgreSQL refuses to run as root.
as_postgres() {
  if [[ $(id -u) -eq 0 ]]; then exec setpriv --reuid=postgres --regid=postgres --init-groups "$@"; else exec "$@"; fi
}

# ---- Programs ----

command -v dotnet >/dev/null || fail "the .NET 10 SDK is not installed (dotnet)."
if $install; then
  install_packages postgresql redis-server prometheus prometheus-alertmanager curl
fi
bin=$(postgresql_bin) || fail "PostgreSQL is not installed (initdb)."
for program in redis-server prometheus promtool prometheus-alertmanager curl; do
  command -v "$program" >/dev/null || fail "$program is not installed."
done

home=$(mktemp -d "${TMPDIR:-/tmp}/harbor-scan-demo.XXXXXX")
chmod 0711 "$home"
mkdir "$home/logs" "$home/rules"
cd "$home"

say "Building the exporter and the simulator"
for project in src/HarborScanExporter tests/HarborSimulator; do
  if ! dotnet build "$root/$project" --configuration Release --nologo -v quiet >>"$home/logs/build.log" 2>&1; then
    fail "$project does not build."
  fi
done
program=$root/src/HarborScanExporter/bin/Release/net10.0/harbor-scan-exporter.dll
simulator=$root/tests/HarborSimulator/bin/Release/net10.0/harbor-simulator.dll

# ---- Harbor's database and Redis ----

password() { od -An -N18 -tx1 /dev/urandom | tr -d ' \n'; }

superuser_password=$(password)
role_password=$(password)
repair_password=$(password)
# The simulated Harbor's administrator, as a new installation has it.
api_user=admin api_password=Harbor12345
free_port; database_port=$port
free_port; redis_port=$port

say "Starting PostgreSQL and Redis"
mkdir "$home/postgresql"
printf '%s\n' "$superuser_password" >"$home/postgresql/superuser"
if [[ $(id -u) -eq 0 ]]; then chown -R postgres: "$home/postgresql"; fi
chmod 0700 "$home/postgresql"
(as_postgres "$bin/initdb" --pgdata="$home/postgresql/data" --username=postgres --pwfile="$home/postgresql/superuser" \
  --auth=scram-sha-256 --encoding=UTF8 --locale=C --no-sync) >"$home/logs/initdb.log" 2>&1 || fail "initdb failed."
start postgresql as_postgres "$bin/postgres" -D "$home/postgresql/data" -p "$database_port" \
  -c listen_addresses=127.0.0.1 -c unix_socket_directories="$home/postgresql" -c fsync=off
start redis redis-server --bind 127.0.0.1 --port "$redis_port" --save '' --appendonly no --dir "$home"

export PGHOST=127.0.0.1 PGPORT=$database_port PGUSER=postgres PGPASSWORD=$superuser_password PGCONNECT_TIMEOUT=3
psql=("$bin/psql" --no-psqlrc --quiet --set=ON_ERROR_STOP=1)
wait_for 30 PostgreSQL "${psql[@]}" --dbname=postgres --command='select 1'
wait_for 30 Redis redis-cli -h 127.0.0.1 -p "$redis_port" ping
"${psql[@]}" --dbname=postgres --command='create database registry'

free_port; api_address=127.0.0.1:$port
say "Simulating $history of Harbor $release with faults (seed $seed)"
start simulator dotnet "$simulator" run \
  --database "Host=127.0.0.1;Port=$database_port;Username=postgres;Password=$superuser_password;Database=registry" \
  --redis "127.0.0.1:$redis_port,defaultDatabase=1" --release "$release" --seed "$seed" --history "$history" --faults all \
  --api "http://$api_address"
# The grants need the tables, and alerts about a half-written past would be about nothing.
wait_for 180 "the simulated history" grep -q 'real time from here' "$home/logs/simulator.log"

"${psql[@]}" --dbname=registry --set=role=harbor_scan_exporter --set=password="$role_password" --set=database=registry \
  --output=/dev/null --file="$root/deploy/sql/01-scraping-role.sql" >"$home/logs/role.log" 2>&1 || fail "the scraping role could not be created."
"${psql[@]}" --dbname=registry --set=role=harbor_scan_exporter --set=remediation_role=harbor_scan_remediation \
  --set=remediation_password="$repair_password" --set=database=registry \
  --output=/dev/null --file="$root/deploy/sql/03-remediation-role.sql" >"$home/logs/repair-role.log" 2>&1 || fail "the repairing role could not be created."

# ---- Exporter ----

free_port; exporter_address=127.0.0.1:$port
free_port; operations_address=127.0.0.1:$port
(umask 077 && password >"$home/token")
echo "a person looks first" >"$home/paused"

# exporter COMMAND...: with the settings of this demonstration and none of the superuser's.
exporter() {
  exec env -u PGPASSWORD -u PGUSER \
    HARBOR_DATABASE_HOST=127.0.0.1 HARBOR_DATABASE_PORT="$database_port" HARBOR_DATABASE_DBNAME=registry \
    HARBOR_DATABASE_USERNAME=harbor_scan_exporter HARBOR_DATABASE_PASSWORD="$role_password" \
    HARBOR_REDIS_URL="redis://127.0.0.1:$redis_port/1" \
    HARBOR_SCAN_LISTEN="http://$exporter_address" \
    HARBOR_SCAN_OPERATIONS_LISTEN="http://$operations_address" HARBOR_SCAN_OPERATIONS_TOKEN_FILE="$home/token" \
    HARBOR_SERVICE_HOST=127.0.0.1 HARBOR_SERVICE_PORT="${api_address#*:}" HARBOR_API_USERNAME="$api_user" HARBOR_API_PASSWORD="$api_password" \
    HARBOR_SCAN_REMEDIATION=execute HARBOR_SCAN_REMEDIATION_PAUSE_FILE="$home/paused" \
    HARBOR_SCAN_REMEDIATION_DATABASE_USERNAME=harbor_scan_remediation HARBOR_SCAN_REMEDIATION_DATABASE_PASSWORD="$repair_password" \
    dotnet "$program" "$@"
}

say "Starting the exporter: it reads under a read-only role, and its repairs are armed and paused"
start exporter exporter serve
wait_for 30 "the exporter" curl --fail --silent "http://$exporter_address/readyz"
# The first collection compiles the program on its way, for which the seconds of this Prometheus may be too short.
curl --fail --silent --output /dev/null "http://$exporter_address/metrics" || fail "the exporter does not answer."

# ---- Prometheus and Alertmanager ----

free_port; prometheus_address=127.0.0.1:$port
free_port; alertmanager_address=127.0.0.1:$port

# Minutes of patience become seconds; the expressions stay as shipped.
sed -E \
  -e 's/^( *)for:.*/\1for: 4s/' \
  -e 's/^( *)keep_firing_for:.*/\1keep_firing_for: 10s/' \
  -e 's/^( *)interval:.*/\1interval: 2s/' \
  "$root/alerts/harbor-scan.rules.yml" >"$home/harbor-scan.rules.yml"

# As alerts/alertmanager.receiver.yml has it, with less patience.
cat >"$home/alertmanager.yml" <<YAML
route:
  receiver: nobody
  group_by: [alertname]
  group_wait: 1s
  routes:
    - receiver: harbor-scan-repair
      matchers: ['alertname=~"HarborScan(Stuck|StuckLong|Lost|Unreported|Hung|AllBlocked|SweepBlocked|InconsistentRows)"']
      group_wait: 0s
      group_interval: 5s
      repeat_interval: 10s
receivers:
  - name: nobody
  - name: harbor-scan-repair
    webhook_configs:
      - url: http://$operations_address/api/v1/alerts
        send_resolved: false
        http_config:
          authorization:
            credentials_file: $home/token
YAML
cat >"$home/prometheus.yml" <<YAML
global:
  scrape_interval: 2s
  scrape_timeout: 2s
  evaluation_interval: 2s
rule_files: [$home/rules/*.yml]
alerting:
  alertmanagers:
    - static_configs: [{targets: ['$alertmanager_address']}]
scrape_configs:
  - job_name: harbor-scan-exporter
    static_configs: [{targets: ['$exporter_address']}]
YAML

say "Starting Prometheus and Alertmanager"
start alertmanager prometheus-alertmanager --config.file="$home/alertmanager.yml" --storage.path="$home/alertmanager" \
  --web.listen-address="$alertmanager_address" --cluster.listen-address=
start prometheus prometheus --config.file="$home/prometheus.yml" --storage.tsdb.path="$home/prometheus" \
  --web.listen-address="$prometheus_address"
prometheus_pid=${pids[-1]}
wait_for 30 Alertmanager curl --fail --silent "http://$alertmanager_address/-/ready"
wait_for 30 Prometheus curl --fail --silent "http://$prometheus_address/-/ready"

# Prometheus takes some seconds to find its targets; with waiting times of seconds the rules would call that an outage.
has_scraped() { curl --fail --silent "http://$prometheus_address/api/v1/query?query=harbor_scan_up" | grep -q '"1"\]'; }
wait_for 60 "the first scrape" has_scraped
mv "$home/harbor-scan.rules.yml" "$home/rules/"
kill -HUP "$prometheus_pid"

# ---- What it found ----

# The firing alerts, one JSON object a line.
firing() {
  curl --fail --silent "http://$prometheus_address/api/v1/alerts" | sed 's/{"labels":/\n&/g' |
    grep '"state":"firing"' | grep '"alertname":"HarborScan' | grep -v '"alertname":"[A-Za-z]*Watchdog"'
}

# field NAME: the value of a JSON string, from standard input.
field() { sed -nE 's/.*"'"$1"'":"(([^"\\]|\\.)*)".*/\1/p' | sed -e 's/\\"/"/g' -e 's/\\n/ /g' -e 's/\\\\/\\/g'; }

show_alerts() {
  local alert
  firing | while IFS= read -r alert; do
    printf '  %-9s %-30s %s\n' "$(field severity <<<"$alert")" "$(field alertname <<<"$alert")" "$(field summary <<<"$alert")"
  done | sort | uniq -c | sed -E 's/^ *([0-9]+) (.*)/\2 (x\1)/; s/ \(x1\)$//'
}

# Series above 0 of the families that say the most.
show_metrics() {
  curl --fail --silent "http://$exporter_address/metrics" |
    grep -E '^harbor_scan_(up|stuck_tasks|blocked_artifacts|inconsistencies|all_blocked|live_tasks)[ {]' |
    grep -vE ' 0(\.0)?$' | sed 's/^/  /' || true
}

# What an operator runs on an alert. It takes its minute where a verdict needs two looks, and ends with 1 when it finds something.
show_check() {
  local status=0
  (exporter check) || status=$?
  [[ $status -le 1 ]] || fail "check could not look."
}

# api METHOD PATH BODY: asks the simulated Harbor as its administrator; prints the status and Harbor's words.
api() {
  curl --silent --user "$api_user:$api_password" --request "$1" --header 'Content-Type: application/json' --data "$3" \
    --write-out ' %{http_code}' "http://$api_address/api/v2.0/$2" | tr -d '\n' | sed -E 's/.*"message":"(([^"\\]|\\.)*)".* ([0-9]+)$/\3 \1/; s/^ //; s/\\"/"/g'
}

# What a user meets: a scan of one image that is stuck, and a scan of all.
show_refusals() {
  say "  scan of web/lost:3.0   $(api POST projects/web/repositories/lost/artifacts/3.0/scan '{"scan_type":"vulnerability"}')"
  say "  scan of everything     $(api POST system/scanAll/schedule '{"schedule":{"type":"Manual"}}')"
}

# Whether an alert on scans that can be repaired still fires.
is_repaired() {
  local alerts
  alerts=$(curl --fail --silent "http://$prometheus_address/api/v1/alerts") || return 1
  ! sed 's/{"labels":/\n&/g' <<<"$alerts" | grep '"state":"firing"' |
    grep -E '"alertname":"HarborScan(Stuck|StuckLong|Lost|Unreported|Hung|AllBlocked|SweepBlocked|InconsistentRows)"'
}

show_repairs() {
  "${psql[@]}" --dbname=registry --tuples-only --no-align --field-separator=$'\t' --command="
    select count(*), action, verdict, state, coalesce(status, '-'), string_agg(distinct source, ',')
    from harbor_scan.repair group by action, verdict, state, status order by min(id)" |
    while IFS=$'\t' read -r count action verdict state status source; do
      printf '  %3s x %-22s %-32s %-9s %-8s by %s\n' "$count" "$action" "$verdict" "$state" "$status" "$source"
    done
}

say "Waiting for the first alert"
wait_for "$limit" "the first alert" firing
# Those of the same moment may need one more evaluation.
sleep 5

say
say "An alert fires."
say "  exporter      http://$exporter_address/metrics"
say "  status page   http://$operations_address (any user, password in $home/token)"
say "  Prometheus    http://$prometheus_address/alerts"
say "  Alertmanager  http://$alertmanager_address"
say
say "Firing now:"
show_alerts
say
say "harbor-scan-exporter check:"
show_check
say
# The second look of check took a minute, and so the exporter has seen for as long what is missing from Redis.
sleep 10
say "Firing after the second look:"
show_alerts
say
say "What the exporter sees (series above 0):"
show_metrics
say
say "What Harbor answers now:"
show_refusals
say
say "Taking away the file that pauses repairs. Alertmanager's next delivery wakes one."
rm "$home/paused"
# Redis was emptied under a job service that lives: for five minutes a worker may still be at what nothing there tells of.
wait_for 420 "the repair" is_repaired
say
say "No alert on scans that can be repaired fires any more. The audit (harbor_scan.repair):"
show_repairs
say
say "What the exporter sees (series above 0):"
show_metrics
say
say "What Harbor answers now:"
show_refusals
say

if $once; then exit 0; fi
say "Running until Ctrl-C."
wait -n "${pids[@]}" || true
fail "a program of the demonstration ended."
