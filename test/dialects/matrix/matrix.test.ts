// People of every protocol talk with each other, each with the client that was written from its protocol's documents: from each to each, one
// to one and in one room.
import { test } from "node:test";
import { runFlows } from "../flows.ts";

// Phones whose code is always the same.
const fixed = Array.from({ length: 100 }, (_, at) => `3806700${String(at).padStart(5, "0")}=123456`).join(",");
const env = { API_CODES_FIXED: fixed, GUESTS: "chat:chat:chat" };

test("everybody talks with everybody, whatever they speak", { timeout: 300_000 }, (t) =>
  runFlows(t, {
    folder: import.meta.dirname,
    packages: ["paho-mqtt==2.1.0", "websockets==15.0.1"],
    env,
    flows: 63,
  }),
);
