// What the tests of copying do: kill a copy in the middle, and look at refusals.
import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
import { StoreError, type StoreErrorCode } from "../store-error.ts";

const program = new URL("copying-process.ts", import.meta.url);

/** kill -9 once the copy has told that it is in the step, with at least so many entries done: "copy 400". */
export async function killCopyAt(t: TestContext, from: string, to: string, end: string): Promise<void> {
  const [step, least = "0"] = end.split(" ");
  const child = fork(program, [from, to], { stdio: ["ignore", "pipe", "inherit", "ipc"] });
  t.after(() => child.kill("SIGKILL"));
  const closed = once(child, "close");
  for await (const line of createInterface({ input: child.stdout! })) {
    const [told, entries] = line.split(" ");
    if (told === step && Number(entries) >= Number(least)) break;
  }
  assert.ok(child.kill("SIGKILL"), "it was done before it was killed");
  await closed;
}

export function refusal(code: StoreErrorCode, message: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof StoreError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    assert.doesNotMatch(error.message, /\n|secret/);
    return true;
  };
}
