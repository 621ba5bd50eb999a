// NATS with JetStream: what services say to each other.
import { join } from "node:path";
import { servicesUsername } from "@parley/protocol";
import type { Program } from "../processes/child.ts";
import { answers } from "./answers.ts";
import { makePrivate, writePrivate } from "./private-files.ts";
import type { Server, ServerPlace } from "./server.ts";

export const nats: Server = {
  prepare,
  ready: ({ port }) => answers(port, undefined, /^INFO .*"jetstream":true/),
  url: ({ port, password }) => `nats://${servicesUsername}:${password}@127.0.0.1:${port}`,
};

async function prepare({ dir, port, password }: ServerPlace): Promise<Program> {
  await makePrivate(dir);
  const lines = [
    `listen: "127.0.0.1:${port}"`,
    `server_name: "parley"`,
    `authorization { user: ${servicesUsername}, password: "${password}" }`,
    `jetstream { store_dir: "." }`,
  ];
  const config = join(dir, "nats.conf");
  await writePrivate(config, lines);
  return { command: "nats-server", args: ["-c", config], cwd: dir };
}
