// Push's tokens in processes of their own, to be killed.
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Checkpoint } from "@parley/runtime";
import { endProcess, processEnd, type TestContext } from "@parley/testkit";
import type { Others } from "./others.ts";

export interface TokenProcess {
  /** Ends it by SIGKILL. */
  kill(): Promise<void>;
  /** Resolves when it is dead; answers the signal that ended it. */
  died(): Promise<NodeJS.Signals | null>;
}

/** Resolves when it is sure who is logged in; it dies at `crashAt`. */
export async function startProcess(
  t: TestContext,
  { natsServer }: Others,
  storeUrl: string,
  crashAt?: Checkpoint,
): Promise<TokenProcess> {
  const env = {
    ...process.env,
    NATS_URL: natsServer.url,
    STORE_URL: storeUrl,
    ...(crashAt === undefined ? {} : { CRASH_AT: crashAt }),
  };
  const child = fork(join(import.meta.dirname, "registered-process.ts"), { env });
  t.after(() => endProcess(child));
  const [said] = await Promise.race([once(child, "message"), once(child, "exit")]);
  if (said !== "sound") throw new Error(`the process of tokens ended: ${said}`);
  return { kill: () => endProcess(child), died: () => processEnd(child) };
}
