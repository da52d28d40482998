#!/bin/sh
# A readygate probe in shell: is there room on the file system of $1, at least $2 percent?
#
# Shell has no JSON, so this one takes its options as arguments and does not read the request. Text that
# comes from outside must not go unescaped into JSON: here only numbers and the path from the config do.
set -eu
path=$1
least=$2

report=$(df -P -k "$path") # on failure the script ends here, and the gate shows what df said
kilobytes=$(printf '%s\n' "$report" | awk 'NR == 2 { print $2, $4 }')
size=${kilobytes% *}
free=${kilobytes#* }
bytes=$((free * 1024))
percent=$((size > 0 ? 100 * free / size : 0))
outcome=passed
[ "$percent" -ge "$least" ] || outcome=failed

cat <<REPLY
{
  "protocol": "readygate/1",
  "metrics": {
    "free": {"value": $bytes, "unit": "B"},
    "free.percent": {"value": $percent, "unit": "%"}
  },
  "checks": [
    {
      "rule": "disk/full",
      "subject": "$path",
      "outcome": "$outcome",
      "message": "$percent % of the file system is free",
      "expected": "at least $least %",
      "actual": "$percent %",
      "hint": "remove old releases and logs, or enlarge the volume"
    }
  ]
}
REPLY
