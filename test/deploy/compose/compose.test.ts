/** biome-ignore-all lint/suspicious/noTemplateCurlyInString: Compose has variables of the same look */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import { complaintsAboutCompose } from "./check-compose.ts";
import { interpolate } from "./interpolate.ts";
import { mistakes } from "./mistakes.ts";
import { parseCompose, readCompose, readOurCompose, root, startedWith } from "./read-compose.ts";

const text = readFileSync(join(root, "docker-compose.yml"), "utf8");
const files = ["docker-compose.yml", ...globSync("deploy/compose/*.yml", { cwd: root })];

const ajv = new Ajv2020({ strict: false, allErrors: true, formats: { duration: true } });
const isCompose = ajv.compile(JSON.parse(readFileSync(join(import.meta.dirname, "compose-spec.json"), "utf8")));

/** The file with one thing changed, as whoever breaks it would. */
function broken(from: string | RegExp, to: string): string {
  const changed = text.replace(from, to);
  assert.notEqual(changed, text, `nothing in docker-compose.yml is ${from}`);
  return changed;
}

for (const file of files)
  test(`${file} is what the Compose Specification says`, () => {
    const document = parseCompose(readFileSync(join(root, file), "utf8"));
    assert.ok(isCompose(document), JSON.stringify(isCompose.errors, undefined, 1));
  });

test("a word that the Compose Specification does not know is found", () => {
  assert.equal(isCompose(parseCompose(broken("mem_limit: 2g", "memory_limit: 2g"))), false);
  assert.equal(isCompose(parseCompose(broken("restart: unless-stopped", "restart: [often]"))), false);
});

test("docker-compose.yml names nothing that the code does not have, and gives each service what it needs", () => {
  assert.deepEqual(complaintsAboutCompose(text), []);
});

for (const [what, from, to, complaint] of mistakes)
  test(`found in docker-compose.yml: ${what}`, () => {
    assert.match(complaintsAboutCompose(broken(from, to)).join("\n"), complaint);
  });

test("a variable that is needed and unset ends with the file's own line", () => {
  const needs = broken("${PARLEY_HOST:-localhost}", "${PARLEY_HOST:?the name that devices reach this machine by}");
  assert.throws(() => readCompose(needs, {}), { message: "PARLEY_HOST: the name that devices reach this machine by" });
});

test("each profile has one broker, and one presence that reads it", () => {
  const compose = readOurCompose();
  for (const profile of ["emqx", "vernemq", "mosquitto"]) {
    const started = startedWith(compose, [profile]);
    assert.equal(started.filter(({ command }) => command[0] === "presence").length, 1, profile);
    assert.equal(started.filter(({ names }) => names.includes("broker")).length, 1, profile);
  }
});

test("variables are replaced as Compose replaces them", () => {
  const env = { A: "a", EMPTY: "" };
  assert.equal(
    interpolate("$A ${A} ${B:-b} ${EMPTY:-e} ${EMPTY-e} ${A:+yes} $$A ${B:-${A}x}", env),
    "a a b e  yes $A ax",
  );
  assert.throws(() => interpolate("${B:?needed}", env), { message: "B: needed" });
});
