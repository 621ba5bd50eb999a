// The three real servers: how each is configured, started and seen to be ready.
import { pbkdf2Sync, randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import type { Program } from "./child.ts";

export type ServerName = "mosquitto" | "redis-server" | "nats-server";

/**
 * Where a server lives. `password` is mosquitto's one login; the others are reached through 127.0.0.1 alone.
 * `settings` are further lines of mosquitto's configuration: of two lines the later one counts.
 */
export type ServerPlace = { dir: string; port: number; password: string; settings?: readonly string[] };

export type Server = {
  prepare(place: ServerPlace): Promise<Program>;
  ready(port: number): Promise<boolean>;
  url(port: number): string;
};

/** The services' user name at the broker's own port. */
export const brokerUsername = "parley";

export const servers: Record<ServerName, Server> = {
  mosquitto: {
    prepare: prepareMosquitto,
    // It opens its port after it has read its file.
    ready: (port) => answers(port, "", /^/),
    url: (port) => `mqtt://127.0.0.1:${port}`,
  },
  "redis-server": {
    prepare: prepareRedis,
    ready: (port) => answers(port, "PING\r\n", /^\+PONG/),
    url: (port) => `redis://127.0.0.1:${port}`,
  },
  "nats-server": {
    prepare: prepareNats,
    ready: (port) => answers(port, undefined, /^INFO .*"jetstream":true/),
    url: (port) => `nats://127.0.0.1:${port}`,
  },
};

async function prepareMosquitto({ dir, port, password, settings = [] }: ServerPlace): Promise<Program> {
  await mkdir(dir, { recursive: true });
  const passwords = join(dir, "passwords");
  await writeFile(passwords, `${brokerUsername}:${hashForMosquitto(password)}\n`, { mode: 0o600 });
  const lines = [
    `listener ${port} 127.0.0.1`,
    "allow_anonymous false",
    `password_file ${passwords}`,
    "set_tcp_nodelay true",
    "max_inflight_messages 1000",
    // No limit: sessions that nobody comes back to are ended by the edge, and memory_limit is the net below.
    "max_queued_messages 0",
    "memory_limit 1073741824",
    "persistence true",
    `persistence_location ${dir}/`,
    // Sessions and queues are written every few seconds and at SIGTERM. kill -9 loses what came since: packets the
    // broker took and nobody confirmed. No promise was made for them (Parley's ack is the promise); senders send again.
    "autosave_interval 5",
    "log_dest stderr",
    "log_type error",
    "log_type warning",
    "log_type notice",
    "connection_messages false",
    // Started by root it would become the user `mosquitto`, who cannot write to our folder.
    ...(process.getuid?.() === 0 ? ["user root"] : []),
    ...settings,
  ];
  const config = join(dir, "mosquitto.conf");
  await writeFile(config, `${lines.join("\n")}\n`);
  return { command: "mosquitto", args: ["-c", config] };
}

// mosquitto_passwd's format `$7$iterations$salt$hash` (PBKDF2, SHA-512). One iteration: the secret is 32 random bytes,
// which no number of iterations makes harder to guess, and mosquitto hashes at every connect.
function hashForMosquitto(password: string): string {
  const salt = randomBytes(12);
  return `$7$1$${salt.toString("base64")}$${pbkdf2Sync(password, salt, 1, 64, "sha512").toString("base64")}`;
}

async function prepareRedis({ dir, port }: ServerPlace): Promise<Program> {
  await mkdir(dir, { recursive: true });
  const lines = [
    "bind 127.0.0.1",
    `port ${port}`,
    `dir ${dir}`,
    // All that Parley keeps in Redis may vanish and comes back.
    'save ""',
    "appendonly no",
    // Its command line stays what we started, so that a later start knows it again.
    "set-proc-title no",
  ];
  const config = join(dir, "redis.conf");
  await writeFile(config, `${lines.join("\n")}\n`);
  return { command: "redis-server", args: [config] };
}

async function prepareNats({ dir, port }: ServerPlace): Promise<Program> {
  await mkdir(dir, { recursive: true });
  const lines = [
    `listen: "127.0.0.1:${port}"`,
    `server_name: "parley"`,
    `jetstream { store_dir: ${JSON.stringify(dir)} }`,
  ];
  const config = join(dir, "nats.conf");
  await writeFile(config, `${lines.join("\n")}\n`);
  return { command: "nats-server", args: ["-c", config] };
}

// One TCP connection: says `question` and compares what comes back. `""` as the question: being let in is enough.
async function answers(port: number, question: string | undefined, expected: RegExp): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    const end = (result: boolean) => {
      socket.destroy();
      resolve(result);
    };
    let heard = "";
    socket.setTimeout(1_000, () => end(false));
    socket.once("error", () => end(false));
    socket.once("close", () => resolve(false));
    socket.once("connect", () => (question === "" ? end(true) : question && socket.write(question)));
    socket.setEncoding("latin1").on("data", (text: string) => {
      heard += text;
      if (heard.includes("\n")) end(expected.test(heard));
    });
  });
}
