import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { promisify } from "node:util";
import { readSecrets, SecretsError } from "./secrets.ts";

function freshFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "parley-secrets-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test("the first reader makes the secrets, readable by the owner alone, and later readers get the same", (t) => {
  const folder = join(freshFolder(t), "new", "secrets");
  const made = readSecrets(folder);
  assert.equal(made.signingKey.length, 32);
  assert.match(made.servicesSecret, /^[0-9A-Za-z_-]{43}$/);
  assert.notEqual(made.servicesSecret, made.hookSecret);
  assert.deepEqual(readSecrets(folder), made);
  assert.deepEqual(readdirSync(folder).sort(), ["hook-secret", "services-secret", "signing-key"]);
  for (const file of readdirSync(folder)) assert.equal(statSync(join(folder, file)).mode & 0o777, 0o600);
  assert.equal(statSync(folder).mode & 0o777, 0o700);
});

test("processes that start at once agree on the secrets", async (t) => {
  const folder = join(freshFolder(t), "secrets");
  const source = `
    import { readSecrets } from ${JSON.stringify(import.meta.resolve("./secrets.ts"))};
    const secrets = readSecrets(${JSON.stringify(folder)});
    process.stdout.write(JSON.stringify([secrets.signingKey.toString("hex"), secrets.servicesSecret, secrets.hookSecret]));`;
  const run = () => promisify(execFile)(process.execPath, ["--input-type=module", "-e", source]);
  const outputs = await Promise.all(Array.from({ length: 6 }, async () => (await run()).stdout));
  assert.equal(new Set(outputs).size, 1, outputs.join("\n"));
  assert.equal(readdirSync(folder).length, 3, "nothing written aside is left");
});

test("a key of the wrong length is refused by name, with what to do, and is left as it is", (t) => {
  const folder = freshFolder(t);
  readSecrets(folder);
  writeFileSync(join(folder, "signing-key"), "short");
  assert.throws(
    () => readSecrets(folder),
    (error) => {
      assert.ok(error instanceof SecretsError);
      assert.match(error.message, /signing-key is 5 bytes long instead of 32; restore it/);
      return true;
    },
  );
  assert.equal(readFileSync(join(folder, "signing-key"), "utf8"), "short");
});

test("an empty or unprintable text secret is refused without being shown", (t) => {
  const folder = freshFolder(t);
  readSecrets(folder);
  writeFileSync(join(folder, "hook-secret"), "has spaces and is long enough, but no");
  assert.throws(
    () => readSecrets(folder),
    (error) => {
      assert.match(String(error), /hook-secret is not 32 to 128 of/);
      assert.doesNotMatch(String(error), /has spaces/);
      return true;
    },
  );
});

test("a line break after a text secret, as editors leave it, is not part of it", (t) => {
  const folder = freshFolder(t);
  const { hookSecret } = readSecrets(folder);
  writeFileSync(join(folder, "hook-secret"), `${hookSecret}\n`);
  assert.equal(readSecrets(folder).hookSecret, hookSecret);
});

test("a folder that is a file is one clear error", (t) => {
  const file = join(freshFolder(t), "file");
  writeFileSync(file, "");
  assert.throws(
    () => readSecrets(join(file, "secrets")),
    /SecretsError: cannot make the folder .*file\/secrets: ENOTDIR/,
  );
});

test("a secret without read permission is one clear error", {
  skip: process.getuid?.() === 0 && "root reads everything",
}, (t) => {
  const folder = freshFolder(t);
  readSecrets(folder);
  chmodSync(join(folder, "signing-key"), 0o000);
  assert.throws(() => readSecrets(folder), /SecretsError: cannot read .*signing-key: permission denied/);
});
