import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { subjects } from "@parley/protocol";
import { readers } from "../../../packages/cli/src/secrets/readers.ts";
import { serviceNames, settingsOf } from "../settings-of.ts";
import { permissions } from "./permissions.ts";
import { ruleOf, usersFile } from "./users.ts";

const rules = Object.entries(permissions).map(([user, permitted]) => ({ user, ...ruleOf(user, permitted) }));

test("deploy/nats/users.conf is as test/deploy/nats/permissions.ts says (node test/deploy/nats/write-users.ts)", () => {
  assert.equal(readFileSync(join(import.meta.dirname, "../../../deploy/nats/users.conf"), "utf8"), usersFile());
});

test("every subject of the protocol may be said by somebody, and is heard by somebody", () => {
  for (const [name, subject] of Object.entries(subjects)) {
    assert.ok(
      rules.some(({ subscribe }) => subscribe.includes(subject)),
      `nobody may hear subjects.${name}`,
    );
    assert.ok(
      rules.some(({ publish }) => publish.includes(subject)),
      `nobody may say subjects.${name}`,
    );
  }
});

test("every service that speaks to NATS has a user of its own, and is told its password, that of Redis and the store where it reads them", () => {
  const reading = (service: string) => Object.keys(settingsOf(service)!.properties);
  for (const service of serviceNames) {
    const wanted = [
      ...(reading(service).includes("NATS_URL") ? ["nats"] : []),
      ...(reading(service).includes("REDIS_URL") ? ["redis"] : []),
      ...(reading(service).includes("STORE_URL") ? ["store"] : []),
    ];
    assert.deepEqual(readers[service] ?? [], wanted, service);
    assert.equal(service in permissions, wanted.includes("nats"), service);
  }
  assert.deepEqual(Object.keys(readers).sort(), Object.keys(permissions).sort());
});

test("nobody may read another's answers, delete a stream, or ask NATS for everything", () => {
  for (const { user, publish, subscribe } of rules) {
    const inboxes = subscribe.filter((subject) => subject.startsWith("_INBOX"));
    assert.deepEqual(inboxes, [`_INBOX.${user}.>`]);
    const far = /^(>|\*|\$JS\.>|\$JS\.API\.>|.*STREAM\.(DELETE|PURGE).*|\$SYS.*)$/;
    assert.deepEqual(
      [...publish, ...subscribe].filter((subject) => far.test(subject)),
      [],
      user,
    );
  }
});
