#!/usr/bin/env bash
# The step of action.yml. Its inputs are variables named WAYBILL_…; lists have one item on each line.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# An input that cannot be used. Escaped, so that no part of it is a command of the runner or a line of its own.
refuse() {
  local text=${1//'%'/%25}
  text=${text//$'\r'/%0D}
  echo "::error title=waybill::${text//$'\n'/%0A}"
  exit 2
}

# Sets the array `lines` to the lines of a text that are not empty.
split() {
  lines=()
  local line
  while IFS= read -r line || [ -n "$line" ]; do
    line=${line%$'\r'}
    if [ -n "$line" ]; then lines+=("$line"); fi
  done <<< "$1"
}

case ${WAYBILL_COMMAND:=check} in
  check | verify) ;;
  *) refuse "command: expected check or verify, found $WAYBILL_COMMAND" ;;
esac
case ${WAYBILL_FAIL:=true} in
  true | false) ;;
  *) refuse "fail: expected true or false, found $WAYBILL_FAIL" ;;
esac
if [ "$WAYBILL_COMMAND" = verify ] && [ -n "${WAYBILL_POLICY:-}" ]; then
  refuse 'policy: verify has no policy; use the command check'
fi

# An output of the step is one line of a file: a second line would be another output.
case ${WAYBILL_SARIF:=waybill.sarif} in
  *[$'\r\n']*) refuse "sarif: expected the name of a file in one line, found $WAYBILL_SARIF" ;;
esac

split "${WAYBILL_ARCHIVES:-}"
[ ${#lines[@]} -gt 0 ] || refuse 'archives: expected files or folders, found none'
# A path is never read as an option or as a reference.
archives=()
for line in "${lines[@]}"; do
  case $line in
    /*) archives+=("$line") ;;
    *) archives+=("./$line") ;;
  esac
done
arguments=("$WAYBILL_COMMAND")
if [ -n "${WAYBILL_POLICY:-}" ]; then arguments+=(--policy "$WAYBILL_POLICY"); fi
split "${WAYBILL_ARGS:-}"
if [ ${#lines[@]} -gt 0 ]; then arguments+=("${lines[@]}"); fi
arguments+=(--format github -o "sarif=$WAYBILL_SARIF")
if [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then arguments+=(-o "$GITHUB_STEP_SUMMARY"); fi

case ${WAYBILL_PROGRAM:-} in
  '')
    if [ ! -f "$here/dist/bundle/cli.js" ]; then
      (cd "$here" && npm ci --no-audit --no-fund && npm run build) >&2
    fi
    program=(node "$here/bin/waybill.js")
    ;;
  /*) ;;
  *) WAYBILL_PROGRAM=./$WAYBILL_PROGRAM ;;
esac
case ${WAYBILL_PROGRAM:-} in
  '') ;;
  *.mjs | *.js)
    [ -r "$WAYBILL_PROGRAM" ] || refuse "program: expected a file that can be read, found none: $WAYBILL_PROGRAM"
    program=(node "$WAYBILL_PROGRAM")
    ;;
  *)
    [ -f "$WAYBILL_PROGRAM" ] && [ -x "$WAYBILL_PROGRAM" ] ||
      refuse "program: expected a file that can be executed (chmod +x), found none: $WAYBILL_PROGRAM"
    program=("$WAYBILL_PROGRAM")
    ;;
esac

code=0
"${program[@]}" "${arguments[@]}" -- "${archives[@]}" || code=$?
{
  echo "exit-code=$code"
  echo "sarif=$WAYBILL_SARIF"
} >> "${GITHUB_OUTPUT:-/dev/null}"
if [ "$WAYBILL_FAIL" = true ]; then exit "$code"; fi
