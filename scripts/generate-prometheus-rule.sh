#!/usr/bin/env bash
# Wraps the Prometheus rule file into the PrometheusRule that the Prometheus operator reads. The rules are
# kept once, in alerts/; a test holds the generated file equal to them.
#
# Usage: scripts/generate-prometheus-rule.sh [rule file [output file]]   ("-" writes to standard output)
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
rules=${1:-$root/alerts/harbor-scan.rules.yml}
output=${2:-$root/deploy/kubernetes/prometheusrule.yaml}

generate() {
  cat <<'YAML'
# Generated from alerts/harbor-scan.rules.yml by scripts/generate-prometheus-rule.sh: edit the rules there.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: harbor-scan-exporter
  namespace: harbor
  labels:
    app.kubernetes.io/name: harbor-scan-exporter
    app.kubernetes.io/part-of: harbor
spec:
YAML
  # The whole document one level deeper; block scalars keep their shape because every line moves alike.
  sed -e '/^---$/d' -e '/^#/d' -e 's/^\(..*\)$/  \1/' "$rules"
}

grep -q '^groups:' "$rules" || { echo "$rules has no groups." >&2; exit 1; }
if [[ $output == - ]]; then generate; else generate >"$output"; fi
