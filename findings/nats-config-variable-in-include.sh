#!/usr/bin/env bash
# nats-server's configuration files. Needs `nats-server` on PATH.
#
# A variable goes out of an included file and not into it: the file that includes can use what the included one defines, while an
# included file sees neither what stands above the `include` nor what another included file defined before it. The one way to share
# is that each file that uses a variable includes the file that defines it, itself.
#
# `nats-server -t` on a main file in four ways: `vars.conf` has "limit = 2MB", `use.conf` has "max_payload: $limit". Seen with
# nats-server 2.9.10 and 2.15.3:
#   main includes vars.conf and uses it: valid
#   main defines it and includes use.conf: can not be found
#   main includes vars.conf, then use.conf: can not be found
#   main includes a file that includes vars.conf and uses it: valid
# This script fails when that changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
nats-server --version
echo 'limit = 2MB' > vars.conf
echo 'max_payload: $limit' > use.conf
printf '%s\n' 'include "vars.conf"' 'max_payload: $limit' > both.conf
# try NAME LINE...: what the server says of a main file with these lines.
try() {
  local name=$1 said
  shift
  printf '%s\n' "$@" > main.conf
  said=$(nats-server -t -c main.conf 2>&1 || true)
  case $said in
    *"is valid"*) echo "$name: valid" ;;
    *"variable reference for 'limit' on line 1 can not be found"*) echo "$name: can not be found" ;;
    *) echo "$name: $said" ;;
  esac
}
{
  try 'main includes vars.conf and uses it' 'include "vars.conf"' 'max_payload: $limit'
  try 'main defines it and includes use.conf' 'limit = 2MB' 'include "use.conf"'
  try 'main includes vars.conf, then use.conf' 'include "vars.conf"' 'include "use.conf"'
  try 'main includes a file that includes vars.conf and uses it' 'include "both.conf"'
} | tee seen
diff seen - <<'SEEN'
main includes vars.conf and uses it: valid
main defines it and includes use.conf: can not be found
main includes vars.conf, then use.conf: can not be found
main includes a file that includes vars.conf and uses it: valid
SEEN
