import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { readSecrets, secretFiles } from "@parley/runtime";
import { makeSecrets } from "./make-secrets.ts";

const addresses = {
  nats: "nats:4222",
  redis: "redis:6379",
  mongo: "mongo-1:27017,mongo-2:27017",
  hooks: "auth-webhook:8090",
};

function folderOf(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), "parley-secrets-"));
  t.after(() => rmSync(dir, { recursive: true }));
  return dir;
}

const readAll = (dir: string) =>
  Object.fromEntries(
    readdirSync(dir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name))
      .map((path) => [path.slice(dir.length + 1), readFileSync(path, "latin1")]),
  );

test("each reader's address holds its own password, the one that the server is told", (t) => {
  const dir = folderOf(t);
  makeSecrets(dir, addresses);
  const files = readAll(dir);
  const { password } = new URL(files["history/nats-url"]!);
  assert.match(files["nats/passwords.conf"]!, new RegExp(`^password-of-history: "${password}"$`, "m"));
  assert.notEqual(new URL(files["router/nats-url"]!).password, password);
  assert.equal(files["redis/password.conf"], `requirepass ${new URL(files["api/redis-url"]!).password}\n`);
  assert.equal(
    files["search/store-url"],
    `mongodb://parley:${files["mongo/parley-password"]}@mongo-1:27017,mongo-2:27017/parley?replicaSet=parley`,
  );
  assert.equal(files["emqx/api-keys"], `${files["presence/emqx-api-key"]}:administrator\n`);
  assert.equal(files["vernemq/vernemq-api-key"], `${files["presence/vernemq-api-key"]}\n`);
  const { hookSecret } = readSecrets(join(dir, "parley"));
  assert.ok(files["emqx/environment"]!.includes(`"Bearer ${hookSecret}"`));
  assert.equal(files["vernemq/vernemq-hooks-url"], `http://auth-webhook:8090/vernemq/${hookSecret}\n`);
});

test("what services share is all there, so that none of them needs to write", (t) => {
  const dir = folderOf(t);
  makeSecrets(dir, addresses);
  const { "nats-secret": _, "redis-secret": __, ...shared } = secretFiles;
  assert.deepEqual(readdirSync(join(dir, "parley")).sort(), Object.keys(shared).sort());
});

test("a second run changes no secret, and a password whose file was removed is another one for both sides", (t) => {
  const dir = folderOf(t);
  makeSecrets(dir, addresses);
  const before = readAll(dir);
  makeSecrets(dir, addresses);
  const again = readAll(dir);
  const { "mosquitto/passwords": salted, ...others } = before;
  assert.deepEqual({ ...again, "mosquitto/passwords": salted }, { ...others, "mosquitto/passwords": salted });
  rmSync(join(dir, "passwords/redis"));
  makeSecrets(dir, addresses);
  const after = readAll(dir);
  assert.notEqual(after["router/redis-url"], before["router/redis-url"]);
  assert.equal(after["redis/password.conf"], `requirepass ${new URL(after["router/redis-url"]!).password}\n`);
});

test("what services share and where passwords are kept is their owner's alone; mongod may read its key file", (t) => {
  const dir = folderOf(t);
  makeSecrets(dir, addresses);
  for (const folder of ["parley", "passwords"]) {
    assert.equal(statSync(join(dir, folder)).mode & 0o077, 0, folder);
    for (const name of readdirSync(join(dir, folder))) assert.equal(statSync(join(dir, folder, name)).mode & 0o077, 0);
  }
  assert.match(readFileSync(join(dir, "mongo/keyfile"), "utf8"), /^[0-9A-Za-z+/=]{6,1024}\n$/);
});

test("a password that is none is named with what to do, and is left as it is", (t) => {
  const dir = folderOf(t);
  makeSecrets(dir, addresses);
  const file = join(dir, "passwords/broker-api");
  writeFileSync(file, "");
  assert.throws(() => makeSecrets(dir, addresses), {
    name: "SecretsError",
    message: `${file} is not 32 to 128 of A-Z a-z 0-9 _ -; restore it, or remove it to have a new one made, and start all again`,
  });
  assert.equal(readFileSync(file, "utf8"), "");
});

test("a file in the place of a folder is said to be one, and nothing is made", (t) => {
  for (const name of ["", "passwords", "parley"]) {
    const dir = join(folderOf(t), "secrets");
    if (name !== "") mkdirSync(dir);
    writeFileSync(join(dir, name), "");
    const message = `${join(dir, name)} is a file, where a folder is needed: remove it, or name another folder`;
    assert.throws(() => makeSecrets(dir, addresses), { name: "SecretsError", message });
    if (name !== "") assert.deepEqual(readdirSync(dir), [name]);
  }
});
