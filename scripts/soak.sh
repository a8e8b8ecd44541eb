#!/usr/bin/env bash
# Scrapes the exporter 100,000 times, with everything on, while a simulated Harbor with faults lives on over a real PostgreSQL and a real
# Redis, and prints every 1,000 scrapes what the process holds: memory, handles, threads, database connections. Every 3,000 scrapes its
# database sessions are ended, or its Redis connections closed.
#
#   scripts/soak.sh                   20 minutes to an hour
#   scripts/soak.sh --scrapes 8000    a shorter run
#   scripts/soak.sh --rate 6000       a busier Harbor, in pushes per hour (120)
#   scripts/soak.sh --set NAME=VALUE  a setting of the exporter beyond those that turn everything on; may be given often
#
# The exit code is 1 when memory, handles, threads or connections of the last quarter are beyond those of the second by more than a tolerance,
# which is printed, when more scrapes fail than the faults explain, or when harbor_scan_reconciliation_drift_total is above 0.
#
# HARBOR_TEST_NATIVE_BINARY names a published binary; without it one is published here, which needs clang. Installs what is missing of
# Debian's postgresql and redis-server, or takes a PostgreSQL from --postgres FOLDER.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/packages.sh
source scripts/packages.sh
# shellcheck source=scripts/native-binary.sh
source scripts/native-binary.sh

install_packages postgresql redis-server

find_native_binary

dotnet run --configuration Release --project tests/HarborScanExporter.Benchmarks --verbosity quiet -- soak --native "$native_binary" "$@"
