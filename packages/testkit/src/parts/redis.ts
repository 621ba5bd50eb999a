// Redis: leases, counters and other short-lived state.
import { join } from "node:path";
import type { Program } from "../processes/child.ts";
import { answers } from "./answers.ts";
import { makePrivate, writePrivate } from "./private-files.ts";
import type { Server, ServerPlace } from "./server.ts";

export const redis: Server = {
  prepare,
  ready: ({ port, password }) => answers(port, `AUTH ${password}\r\nPING\r\n`, /^\+OK\r\n\+PONG/),
  url: ({ port, password }) => `redis://:${password}@127.0.0.1:${port}`,
};

async function prepare({ dir, port, password }: ServerPlace): Promise<Program> {
  await makePrivate(dir);
  const lines = [
    "bind 127.0.0.1",
    `port ${port}`,
    `requirepass ${password}`,
    "dir ./",
    // All that Parley keeps in Redis may vanish and comes back.
    'save ""',
    "appendonly no",
    // Its command line stays what we started, so that a later start knows it again.
    "set-proc-title no",
  ];
  const config = join(dir, "redis.conf");
  await writePrivate(config, lines);
  return { command: "redis-server", args: [withoutWildcards(config)], cwd: dir };
}

// Redis takes a path with one of these for a pattern; without any, a backslash would stay in it.
function withoutWildcards(path: string): string {
  return /[*?[]/.test(path) ? path.replaceAll(/[*?[\]\\]/g, "\\$&") : path;
}
