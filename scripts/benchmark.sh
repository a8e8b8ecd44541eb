#!/usr/bin/env bash
# Measures what one scrape costs a Harbor with 1,000,000 tasks and writes tests/HarborScanExporter.Benchmarks/README.md.
#
#   scripts/benchmark.sh                                   the whole run, 10 to 20 minutes and 6 GB of temporary files
#   scripts/benchmark.sh --only redis                      what the job service's Redis adds, and its section of the README: two minutes
#   scripts/benchmark.sh --tasks 10000 --scrapes 20        a quick run that only prints
#
# HARBOR_TEST_NATIVE_BINARY names a published binary; without it one is published here, which needs clang. Needs redis-server and a PostgreSQL
# server's programs (apt-get install postgresql redis-server, or --postgres FOLDER), as root also the user postgres, because initdb refuses root.
# The exit code is 1 when a figure is beyond its limit.
set -euo pipefail
cd "$(dirname "$0")/.."

project=tests/HarborScanExporter.Benchmarks
readme=(--readme "$project/README.md")
for argument in "$@"; do
  case $argument in
    # Figures of a small run must not replace those of the whole one.
    --tasks | --tasks=* | --scrapes | --scrapes=* | --readme | --readme=*) readme=() ;;
  esac
done

binary=${HARBOR_TEST_NATIVE_BINARY:-}
if [ -z "$binary" ]; then
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
  dotnet publish src/HarborScanExporter --configuration Release --output "$folder" --use-current-runtime \
    --verbosity quiet --nologo -consoleLoggerParameters:ErrorsOnly
  binary=$folder/harbor-scan-exporter
fi

dotnet run --configuration Release --project "$project" --verbosity quiet -- --native "$binary" "${readme[@]}" "$@"
