import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { UsageError } from "./failure.ts";
import { givenPassword } from "./password.ts";

function fileWith(t: TestContext, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), "parley-password-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "Zoë's #1"), text);
  return join(folder, "Zoë's #1");
}

test("a password comes from the argument, the first line of a file, or the environment, in this order", (t) => {
  const passwordFile = fileWith(t, " pass wörd \r\nsecond line\n");
  const env = { PARLEY_PASSWORD: "of the environment" };
  assert.equal(givenPassword({ password: "given" }, env), "given");
  assert.equal(givenPassword({ passwordFile }, env), " pass wörd ");
  assert.equal(givenPassword({}, env), "of the environment");
  assert.equal(givenPassword({}, {}), undefined);
});

test("a file that is not there or empty, or a password given twice, is wrong usage and names the flag", (t) => {
  const wrong = (flags: { password?: string; passwordFile?: string }, message: RegExp) =>
    assert.throws(
      () => givenPassword(flags, {}),
      (error) => error instanceof UsageError && message.test(error.message),
    );
  wrong({ passwordFile: "/nowhere/at all" }, /--password-file \/nowhere\/at all cannot be read/);
  wrong({ passwordFile: fileWith(t, "\nsecond") }, /first line is empty/);
  wrong({ password: "a", passwordFile: "b" }, /not both/);
});
