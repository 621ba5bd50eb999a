// A client of a dialect, in Python, goes through its flows on a cluster; each is a test.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { TestContext as NodeTestContext } from "node:test";
import { startTestCluster } from "@parley/testkit";
import { pythonWith } from "./python.ts";

export const password = "correct horse battery";

interface Outcome {
  title: string;
  error?: string;
}

interface Client {
  /** the folder of its `flows.py`, which prints an Outcome a line */
  folder: string;
  /** what it imports */
  packages: string[];
  /** of the services */
  env?: Record<string, string>;
  /** how many flows it has, at least */
  flows: number;
}

/** `FLOWS="word other"` in the environment runs those whose title has one of the words. */
export async function runFlows(t: NodeTestContext, { folder, packages, env = {}, flows }: Client): Promise<void> {
  const [python, cluster] = await Promise.all([pythonWith(...packages), startTestCluster(t, { env })]);
  const { http, mqtt } = cluster.run();
  const child = spawn(python, [join(folder, "flows.py")], {
    env: {
      ...process.env,
      PYTHONDONTWRITEBYTECODE: "1",
      PYTHONPATH: import.meta.dirname,
      HTTP_URL: http,
      MQTT_HOST: mqtt.host,
      MQTT_PORT: `${mqtt.port}`,
      PASSWORD: password,
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => child.kill("SIGKILL"));
  const ended = new Promise((resolve) => child.once("close", resolve));
  let count = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const { title, error } = JSON.parse(line) as Outcome;
    count += 1;
    await t.test(title, () => assert.equal(error, undefined, error));
  }
  assert.equal(await ended, 0);
  assert.ok(process.env.FLOWS || count >= flows, `${count} flows were run`);
}
