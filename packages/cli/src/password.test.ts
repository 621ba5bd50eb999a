import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { UsageError } from "./failure.ts";
import { givenPassword } from "./password.ts";

const noTerminal = spawnSync("script", ["--version"]).status === 0 ? false : "util-linux's script is not installed";

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

test("a password is asked for only once the terminal shows nothing of it any more", { skip: noTerminal }, async (t) => {
  const asks = fileWith(
    t,
    `import { askPassword } from ${JSON.stringify(join(import.meta.dirname, "password.ts"))};
    const { stdin, stderr, stdout } = process;
    stderr.write = (text) => stdout.write(\`\${text}\${text === "\\n" ? "" : stdin.isRaw}\\n\`);
    stdout.write(\`\${(await askPassword("Password? ")).length}\\n\`);`,
  );
  const command = `'${process.execPath}' --input-type=module --eval "$(cat "$FILE")"`;
  const terminal = spawn("script", ["-qec", command, "/dev/null"], { env: { ...process.env, FILE: asks } });
  t.after(() => terminal.kill());
  let shown = "";
  terminal.stdout.setEncoding("utf8").on("data", (text: string) => {
    shown += text;
    if (/^Password\? \w+\r?\n$/.test(shown)) terminal.stdin.write("secret\r");
  });
  await once(terminal, "exit");
  assert.deepEqual(shown.split(/\s*\n/).filter(Boolean), ["Password? true", "6"]);
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
