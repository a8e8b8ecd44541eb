#!/usr/bin/env bash
# Measures what one scrape costs Harbor's database from 10,000 tasks to 10,000,000, beside two exporters of plain queries, and writes
# tests/HarborScanExporter.Benchmarks/README.md and the drawing beside it.
#
#   scripts/benchmark.sh                              the whole run, up to an hour and 25 GB of temporary files
#   scripts/benchmark.sh --only redis                 a long queue without and with Redis, and its section of the README: four minutes
#   scripts/benchmark.sh --sizes 10000,100000         these sizes alone; only prints, as does every run with --sizes or --scrapes
#   scripts/benchmark.sh --sizes 10000 --scrapes 20   a quick run: two minutes
#
# HARBOR_TEST_NATIVE_BINARY names a published binary; without it one is published here, which needs clang. Installs what is missing of
# Debian's postgresql, redis-server, prometheus-postgres-exporter and prometheus-sql-exporter, or takes a PostgreSQL from --postgres FOLDER.
# As root the server runs as the user postgres, and the page cache is dropped before the cold starts. The exit code is 1 when a goal is missed.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/packages.sh
source scripts/packages.sh
# shellcheck source=scripts/native-binary.sh
source scripts/native-binary.sh

project=tests/HarborScanExporter.Benchmarks
readme=(--readme "$project/README.md")
for argument in "$@"; do
  case $argument in
    # Figures of a part must not replace those of the whole.
    --tasks | --tasks=* | --sizes | --sizes=* | --scrapes | --scrapes=* | --memory-scrapes | --memory-scrapes=* | --readme | --readme=*) readme=() ;;
  esac
done

install_packages postgresql redis-server prometheus-postgres-exporter prometheus-sql-exporter

find_native_binary

dotnet run --configuration Release --project "$project" --verbosity quiet -- --native "$native_binary" "${readme[@]}" "$@"
