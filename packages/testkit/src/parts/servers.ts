// The table of the real servers: a new one is a file of its own and a line here.
import type { secretFiles } from "@parley/runtime";
import { mosquitto } from "./mosquitto.ts";
import { nats } from "./nats.ts";
import { redis } from "./redis.ts";
import type { Server } from "./server.ts";

export type ServerName = "mosquitto" | "redis-server" | "nats-server";

export const servers: Record<ServerName, Server> = { mosquitto, "redis-server": redis, "nats-server": nats };

export const serverNames = Object.keys(servers) as ServerName[];

/** The secret each server's password is; Redis and NATS have one of their own, so that theirs opens nothing else. */
export const passwordFiles = {
  mosquitto: "services-secret",
  "redis-server": "redis-secret",
  "nats-server": "nats-secret",
} as const satisfies Record<ServerName, keyof typeof secretFiles>;
