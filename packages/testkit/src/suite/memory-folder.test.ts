import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { eventually } from "../processes/eventually.ts";

const says = `
  import { keepTemporaryFilesInMemory } from ${JSON.stringify(join(import.meta.dirname, "memory-folder.ts"))};
  keepTemporaryFilesInMemory();
  console.log(process.env.TMPDIR ?? "none");
  setInterval(() => {}, 1_000);
`;

async function start(env: Record<string, string> = {}) {
  const { TMPDIR: _, ...inherited } = process.env;
  const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", says], {
    env: { ...inherited, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [folder] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  return { child, folder };
}

for (const signal of ["SIGINT", "SIGTERM", "SIGKILL"] as const)
  test(`the folder in memory is gone when who had it made is ended by ${signal}`, async (t) => {
    const { child, folder } = await start();
    t.after(() => child.kill("SIGKILL"));
    if (folder === "none") return t.skip("NO MEMORY FOR TEMPORARY FILES HERE");
    assert.equal(statfsSync(folder).type, 0x01021994);
    child.kill(signal);
    await eventually(() => !existsSync(folder));
  });

test("a TMPDIR that is set is left as it is", async (t) => {
  const { child, folder } = await start({ TMPDIR: "/tmp" });
  t.after(() => child.kill("SIGKILL"));
  assert.equal(folder, "/tmp");
});
