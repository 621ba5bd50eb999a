// Mosquitto: the broker of one machine.
import { join } from "node:path";
import { servicesUsername } from "@parley/protocol";
import { passwordLine } from "@parley/runtime";
import type { Program } from "../processes/child.ts";
import { answers } from "./answers.ts";
import { databaseFault, memoryLimit, setDatabaseAside } from "./mosquitto-database.ts";
import { loginLines } from "./mosquitto-login.ts";
import { makePrivate, writePrivate } from "./private-files.ts";
import type { LifeBefore, Server, ServerPlace } from "./server.ts";
import { socketPathIn } from "./socket-path.ts";

export const mosquitto: Server = {
  prepare,
  // It opens its port after it has read its file.
  ready: ({ port }) => answers(port, "", /^/),
  url: ({ port }) => `mqtt://127.0.0.1:${port}`,
};

const socketName = "broker.sock";

/** Where services on this machine reach it with less CPU than over TCP; undefined: its folder's path is too long for that. */
export function brokerSocketIn(dir: string): string | undefined {
  const path = socketPathIn(dir, socketName);
  return path && `unix://${path.split("/").map(encodeURIComponent).join("/")}`;
}

async function prepare(place: ServerPlace, before?: LifeBefore): Promise<Program> {
  const { dir, port, password, settings = [] } = place;
  await makePrivate(dir);
  if (before && databaseFault.test(before.lastWord)) await setDatabaseAside(dir, before.log);
  await writePrivate(join(dir, "passwords"), [passwordLine(servicesUsername, password)]);
  const lines = [
    `listener ${port} 127.0.0.1`,
    `listener 0 ${socketName}`,
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
    // The edge ends sessions of MQTT 3.1.1 after an hour; those that no edge has learned of end here.
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
