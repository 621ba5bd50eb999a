// The three real servers: how each is configured, started and seen to be ready.
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import type { secretFiles } from "@parley/runtime";
import type { Program } from "./child.ts";
import { databaseFault, memoryLimit, setDatabaseAside } from "./mosquitto-database.ts";
import { loginLines, passwordLine } from "./mosquitto-login.ts";

export type ServerName = "mosquitto" | "redis-server" | "nats-server";

/** How a server is reached: 127.0.0.1 is every local user's, so each asks for its password, of `A-Z a-z 0-9 _ -`. */
export type ServerDoor = { port: number; password: string };

/** Where a server lives. `settings` are further lines of mosquitto's configuration: of two lines the later one counts. */
export type ServerPlace = ServerDoor & { dir: string; settings?: readonly string[] };

/** The last words of a server that is being started again, and where to tell what is done about them. */
export type LifeBefore = { lastWord: string; log(line: string): void };

export type Server = {
  /** It runs in its own folder and its file names nothing outside, so that no path needs to be quoted there. */
  /** `before`: how the life before this one ended, if there was one. */
  prepare(place: ServerPlace, before?: LifeBefore): Promise<Program>;
  ready(door: ServerDoor): Promise<boolean>;
  /** For services. Mosquitto's has no password: they show it the services' secret. */
  url(door: ServerDoor): string;
};

/** The services' user name at the broker's own port and at NATS. */
export const servicesUsername = "parley";

export const servers: Record<ServerName, Server> = {
  mosquitto: {
    prepare: prepareMosquitto,
    // It opens its port after it has read its file.
    ready: ({ port }) => answers(port, "", /^/),
    url: ({ port }) => `mqtt://127.0.0.1:${port}`,
  },
  "redis-server": {
    prepare: prepareRedis,
    ready: ({ port, password }) => answers(port, `AUTH ${password}\r\nPING\r\n`, /^\+OK\r\n\+PONG/),
    url: ({ port, password }) => `redis://:${password}@127.0.0.1:${port}`,
  },
  "nats-server": {
    prepare: prepareNats,
    ready: ({ port }) => answers(port, undefined, /^INFO .*"jetstream":true/),
    url: ({ port, password }) => `nats://${servicesUsername}:${password}@127.0.0.1:${port}`,
  },
};

async function prepareMosquitto(place: ServerPlace, before?: LifeBefore): Promise<Program> {
  const { dir, port, password, settings = [] } = place;
  await makePrivate(dir);
  if (before && databaseFault.test(before.lastWord)) await setDatabaseAside(dir, before.log);
  await writePrivate(join(dir, "passwords"), [passwordLine(servicesUsername, password)]);
  const lines = [
    `listener ${port} 127.0.0.1`,
    ...(await loginLines("passwords")),
    "set_tcp_nodelay true",
    "max_inflight_messages 1000",
    // What one session may hold, a router's as well as a device's: in bytes, since a message may have 2 or 65,536 of them.
    // What finds no room is dropped: for a device sync has it, to a router its sender sends it again, for want of an ack.
    "max_inflight_bytes 4194304",
    "max_queued_bytes 8388608",
    "max_queued_messages 100000",
    `memory_limit ${await memoryLimit(dir)}`,
    // The edge watches $SYS/broker/heap/current, and ends sessions long before the limit.
    "sys_interval 1",
    // The edge ends sessions of MQTT 3.1.1 after an hour; those that it forgot by a restart end here.
    "persistent_client_expiration 1d",
    "persistence true",
    "persistence_location ./",
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
  await writePrivate(config, lines);
  return { command: "mosquitto", args: ["-c", config], cwd: dir };
}

async function prepareRedis({ dir, port, password }: ServerPlace): Promise<Program> {
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

async function prepareNats({ dir, port, password }: ServerPlace): Promise<Program> {
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

/** The secret each server's password is; Redis and NATS have one of their own, so that theirs opens nothing else. */
export const passwordFiles = {
  mosquitto: "services-secret",
  "redis-server": "redis-secret",
  "nats-server": "nats-secret",
} as const satisfies Record<ServerName, keyof typeof secretFiles>;

// One TCP connection: says `question` and compares what comes back, a line for each of its lines. `""`: being let in is
// enough; undefined: the server speaks first.
async function answers(port: number, question: string | undefined, expected: RegExp): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    const end = (result: boolean) => {
      socket.destroy();
      resolve(result);
    };
    const asked = question ? question.split("\n").length - 1 : 1;
    let heard = "";
    socket.setTimeout(1_000, () => end(false));
    socket.once("error", () => end(false));
    socket.once("close", () => resolve(false));
    socket.once("connect", () => (question === "" ? end(true) : question && socket.write(question)));
    socket.setEncoding("latin1").on("data", (text: string) => {
      heard += text;
      const lines = heard.split("\n").length - 1;
      if (lines >= asked) end(expected.test(heard));
    });
  });
}

// Also where an earlier Parley made it for everybody to read.
async function makePrivate(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true });
  await chmod(dir, 0o700);
}

async function writePrivate(file: string, lines: readonly string[]): Promise<void> {
  await writeFile(file, `${lines.join("\n")}\n`, { mode: 0o600 });
  await chmod(file, 0o600);
}
