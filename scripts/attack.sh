#!/usr/bin/env bash
# Attacks the exporter as a client without a token could, on loopback only, in the memory limit of deploy/kubernetes: pipelined requests,
# headers without an end, answers that are never read. Meanwhile somebody scrapes and somebody asks for /healthz. Prints for each attack its
# connections, bytes and seconds, the exporter's memory, and how the others fared.
#
#   scripts/attack.sh                 six attacks of half a minute each
#   scripts/attack.sh --seconds 10    shorter ones
#
# The exit code is 1 when a promise is broken: the process ended, a scrape failed, or /healthz failed or took more than a second.
#
# As root, where the kernel allows it, the exporter runs in a control group of its own; elsewhere its runtime is told the limit.
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

dotnet run --configuration Release --project tests/HarborScanExporter.Benchmarks --verbosity quiet -- attack --native "$native_binary" "$@"
