# shellcheck shell=bash
# Installs what the demonstration and the tests run from the distribution's packages, without letting a
# package start its service or create a database cluster. Sourced by demo.sh and test.sh.

# The directory of initdb, postgres and psql: the newest PostgreSQL that the distribution installed, else the one in PATH.
postgresql_bin() {
  local newest
  newest=$(find /usr/lib/postgresql -mindepth 3 -maxdepth 3 -path '*/bin/initdb' 2>/dev/null | sort -V | tail -n 1)
  [[ -n $newest ]] || newest=$(command -v initdb) || return 1
  dirname "$newest"
}

# is_installed PACKAGE: judged by what the package is needed for, so that a program from elsewhere serves as well.
is_installed() {
  case $1 in
    postgresql) postgresql_bin >/dev/null ;;
    prometheus) command -v prometheus >/dev/null && command -v promtool >/dev/null ;;
    prometheus-alertmanager) command -v prometheus-alertmanager >/dev/null && command -v amtool >/dev/null ;;
    redis-server | pgbouncer | clang | curl | openssl | chromium) PATH=$PATH:/usr/sbin command -v "$1" >/dev/null ;;
    zlib1g-dev) [[ -e /usr/include/zlib.h ]] ;;
    *) dpkg-query --show --showformat='${Status}' "$1" 2>/dev/null | grep -q 'ok installed' ;;
  esac
}

as_root() {
  if [[ $(id -u) -eq 0 ]]; then "$@"; else sudo "$@"; fi
}

# install_packages PACKAGE...: installs those that are missing.
install_packages() {
  local package
  local -a missing=()
  for package in "$@"; do
    is_installed "$package" || missing+=("$package")
  done
  [[ ${#missing[@]} -eq 0 ]] && return 0
  if ! command -v apt-get >/dev/null; then
    echo "Please install: ${missing[*]} (only apt-get is known here)." >&2
    return 1
  fi
  echo "Installing ${missing[*]}" >&2
  install_without_services "${missing[@]}"
}

# In a subshell, whose trap takes both switches away again whatever happens.
install_without_services() (
  policy=/usr/sbin/policy-rc.d
  no_cluster=/etc/postgresql-common/createcluster.d/harbor-scan-exporter.conf
  made=()
  # shellcheck disable=SC2317 # called by the trap
  take_back() { [[ ${#made[@]} -eq 0 ]] || as_root rm -f "${made[@]}"; }
  trap take_back EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  if [[ ! -e $policy ]]; then
    made+=("$policy")
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 0755 "$policy"
  fi
  if [[ ! -e $no_cluster ]]; then
    made+=("$no_cluster")
    as_root mkdir -p "$(dirname "$no_cluster")"
    echo 'create_main_cluster = false' | as_root tee "$no_cluster" >/dev/null
  fi
  as_root apt-get update -qq </dev/null >&2
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install --yes -qq --no-install-recommends "$@" </dev/null >&2
)
