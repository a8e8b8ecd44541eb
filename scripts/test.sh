#!/usr/bin/env bash
# Builds everything, publishes the native binary and runs all tests. The last line is "N passed, N failed";
# a step that breaks before the tests counts as one failure. The exit code is 0 only when nothing failed.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/packages.sh
source scripts/packages.sh

passed=0 failed=0 step="the start" finished=false

conclude() {
  local status=$?
  trap - EXIT
  if ! $finished; then
    failed=$((failed + 1))
    echo "Broken at: $step" >&2
  fi
  [[ $failed -eq 0 ]] || status=1
  echo "$passed passed, $failed failed"
  exit "$status"
}
trap conclude EXIT

export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
mkdir -p artifacts

step="the scripts' syntax"
for script in scripts/*.sh .ci/run; do
  bash -n "$script"
done

step="installing packages"
install_packages postgresql redis-server prometheus prometheus-alertmanager pgbouncer clang zlib1g-dev curl openssl chromium

step="restore"
dotnet restore HarborScanExporter.sln

# refuse_warnings LOG: the compiler's are errors already; this also catches those of the tools around it.
# IL2104 and IL3053 speak of Dapper's reflection path, which the generated code never takes; NU190x are advisories,
# which may appear without any change of ours.
refuse_warnings() {
  if grep -E 'warning [A-Z]+[0-9]+' "$1" | grep -vE 'warning (IL2104|IL3053|NU190[1-4])\b'; then
    step="$step: the warnings above"
    exit 1
  fi
}

step="build"
dotnet build HarborScanExporter.sln --configuration Release --no-restore --nologo 2>&1 | tee artifacts/build.log
refuse_warnings artifacts/build.log

step="native publish"
dotnet publish src/HarborScanExporter --configuration Release --output artifacts/native --nologo 2>&1 | tee artifacts/publish.log
refuse_warnings artifacts/publish.log
export HARBOR_TEST_NATIVE_BINARY=$PWD/artifacts/native/harbor-scan-exporter
"$HARBOR_TEST_NATIVE_BINARY" version

# summary FIELD: a count of the test run's own summary; empty when the run did not get that far.
summary() { sed -nE "s/^  $1: ([0-9]+)\$/\1/p" artifacts/test.log | tail -n 1; }

step="tests"
test_status=0
dotnet test --project tests/HarborScanExporter.Tests --configuration Release --no-build 2>&1 |
  tee artifacts/test.log || test_status=$?
passed=$(summary succeeded) failed=$(summary failed) skipped=$(summary skipped)
if [[ -z $passed || -z $failed || -z $skipped ]]; then
  passed=${passed:-0} failed=${failed:-0}
  step="tests: no summary"
  exit 1
fi
if [[ $skipped -gt 0 && -n ${CI:-} ]]; then
  echo "$skipped skipped tests count as failed: with CI set nothing may be skipped." >&2
  failed=$((failed + skipped))
fi
# A crash after the last test leaves clean counts and a bad exit code.
if [[ $test_status -ne 0 && $failed -eq 0 ]]; then
  step="tests: exit code $test_status"
  exit 1
fi
if [[ $passed -eq 0 ]]; then
  step="tests: none ran"
  exit 1
fi
finished=true
