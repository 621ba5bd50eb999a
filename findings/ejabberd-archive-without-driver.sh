#!/usr/bin/env bash
# ejabberd 23.01-1 (Debian 12), run privately from its unpacked packages.
#
# `apt-get install ejabberd` brings no driver for PostgreSQL: erlang-p1-pgsql is a package of its own, which ejabberd's only suggests.
# With `sql_type: pgsql` and an archive of SQL (mod_mam, `default: always`) ejabberd starts all the same, `status` says that it is
# started, and people log in and write to each other. Nothing is archived: the first message is where the driver is looked for, each
# message crashes mod_mam's hooks, and is delivered all the same. Who measures it so measures crashes (118 messages a second, 436 with the
# driver in the same minute), and who runs it so has no archive, with no word of it to anybody but the log.
#
# Starts it so and lets one user write to another. Seen:
#   status: is running in that node
#   delivered: hello
#   mod_mam: Failed to start Erlang application 'p1_pgsql'
# This script fails when that changes. Needs Debian 12's apt-get; installs nothing.
set -euo pipefail
work=$(mktemp -d)
erlang=
trap 'if [ -n "$erlang" ]; then kill -9 "$erlang" && wait "$erlang"; fi 2> /dev/null || true; rm -rf "$work"' EXIT
cd "$work"
mkdir debs root
apt-get install --simulate --no-install-recommends --reinstall ejabberd=23.01-1 | awk '/^Inst /{print $2}' > wanted
(cd debs && xargs apt-get download -qq < ../wanted 2> /dev/null)
for deb in debs/*.deb; do dpkg-deb --extract "$deb" root; done
release=$(dirname "$(dirname "$(find "$work/root/usr/lib/erlang" /usr/lib/erlang -path '*/erts-*/bin/erlexec' 2> /dev/null | head -1)")")
port=$((20000 + RANDOM % 20000))
cat > ejabberd.yml << YAML
hosts: [localhost]
loglevel: warning
auth_method: mnesia
listen:
  - {port: $port, ip: "127.0.0.1", module: ejabberd_c2s, access: c2s}
  - {port: $((port + 1)), ip: "127.0.0.1", module: ejabberd_http, request_handlers: {/api: mod_http_api}}
access_rules: {c2s: {allow: all}}
api_permissions: {all: {from: [mod_http_api], who: all, what: "*"}}
modules:
  mod_mam: {db_type: sql, default: always}
sql_type: pgsql
sql_server: 127.0.0.1
sql_database: ejabberd
sql_username: ejabberd
YAML
export ROOTDIR=${release%/*} BINDIR=$release/bin EMU=beam PROGNAME=erl LD_LIBRARY_PATH=$work/root/usr/lib/x86_64-linux-gnu
export ERL_LIBS=$work/root/usr/lib/erlang/lib:$work/root/usr/lib/x86_64-linux-gnu ERL_CRASH_DUMP=/dev/null
export EJABBERD_CONFIG_PATH=$work/ejabberd.yml EJABBERD_LOG_PATH=$work/ejabberd.log
"$BINDIR/erlexec" -noinput -mnesia dir "\"$work/mnesia\"" -s ejabberd > output 2>&1 &
erlang=$!
ask() { curl --silent --fail -H 'content-type: application/json' -d "$2" "http://127.0.0.1:$((port + 1))/api/$1"; }
for _ in $(seq 100); do ask status '{}' > status 2> /dev/null && break; sleep 0.2; done
for user in ann ben; do ask register "{\"user\": \"$user\", \"host\": \"localhost\", \"password\": \"a-password\"}" > /dev/null; done
cat > talk.mjs << 'JS'
import { connect } from "node:net";
const header =
  "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='localhost' version='1.0'>";
const bind = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>";
function join(user) {
  const socket = connect(Number(process.argv[2]), "127.0.0.1").setEncoding("utf8");
  const login = Buffer.from(`\0${user}\0a-password`).toString("base64");
  const steps = [
    ["</stream:features>", `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${login}</auth>`],
    ["<success", header],
    ["</stream:features>", `<iq type='set' id='bind'>${bind}</iq>`],
    ["id='bind'", "<presence/>"],
  ];
  let text = "";
  socket.write(header);
  return new Promise((resolve) => {
    socket.on("data", (some) => {
      text += some;
      const [sign, answer] = steps[0] ?? [];
      if (sign === undefined || !text.includes(sign)) return;
      text = "";
      socket.write(answer);
      steps.shift();
      if (steps.length === 0) resolve(socket);
    });
  });
}
const [ann, ben] = [await join("ann"), await join("ben")];
const heard = new Promise((resolve) => {
  let text = "";
  ben.on("data", (some) => {
    text += some;
    const body = /<body>(.*)<\/body>/.exec(text);
    if (body) resolve(body[1]);
  });
});
ann.write("<message to='ben@localhost' type='chat'><body>hello</body></message>");
console.log(`delivered: ${await heard}`);
process.exit(0);
JS
{
  echo "status: $(grep -o 'is running in that node' status)"
  timeout 20 node talk.mjs "$port"
  for _ in $(seq 50); do grep -q p1_pgsql ejabberd.log && break; sleep 0.2; done
  echo "mod_mam: $(grep -o "Failed to start Erlang application 'p1_pgsql'" ejabberd.log | head -1)"
} | tee seen
diff seen - << 'SEEN'
status: is running in that node
delivered: hello
mod_mam: Failed to start Erlang application 'p1_pgsql'
SEEN
