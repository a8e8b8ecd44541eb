# shellcheck shell=bash
# Finds or makes the native binary that is measured. Sourced by attack.sh, benchmark.sh and soak.sh.

# Sets native_binary to HARBOR_TEST_NATIVE_BINARY, else to one that is published into a temporary folder and removed at exit.
find_native_binary() {
  native_binary=${HARBOR_TEST_NATIVE_BINARY:-}
  [[ -z $native_binary ]] || return 0
  native_folder=$(mktemp -d)
  trap 'rm -rf "$native_folder"' EXIT
  dotnet publish src/HarborScanExporter --configuration Release --output "$native_folder" --use-current-runtime \
    --verbosity quiet --nologo -consoleLoggerParameters:ErrorsOnly
  native_binary=$native_folder/harbor-scan-exporter
}
