// What tests of searching share: `parley`, and what a client finds.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import type { ParleyClient } from "@parley/client";
import { type ResultOf, searchMessages } from "@parley/protocol";
import { type Cluster, eventually, programOf, type TestContext } from "@parley/testkit";
import { password } from "./people.ts";

export type Found = ResultOf<typeof searchMessages>;

const program = programOf("packages/cli/src/main.ts");

/** Runs `parley` to its end. */
export async function parley(t: TestContext, cluster: Cluster, ...args: string[]) {
  const env = {
    ...process.env,
    HOME: cluster.dir,
    PARLEY_DIR: cluster.dir,
    PARLEY_URL: cluster.run().http,
    PARLEY_PASSWORD: password,
  };
  const child = spawn(process.execPath, [program, ...args], { env });
  t.after(() => child.kill("SIGKILL"));
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { code, out, err };
}

export const textsOf = ({ results }: Found) =>
  results.map(({ message }) => (message.content as { data?: unknown }).data);
export const search = (client: ParleyClient, query: string, more: { limit?: number; page?: string } = {}) =>
  client.request(searchMessages, { query, ...more });
export const finds = async (client: ParleyClient, query: string) => textsOf(await search(client, query));

/** Waits until as much is found: a message is indexed a moment after it was acknowledged. */
export async function eventuallyFinds(client: ParleyClient, query: string, expected: unknown[]): Promise<void> {
  await eventually(async () => {
    assert.deepEqual(await finds(client, query), expected);
    return true;
  });
}
