// A client that knows the draft of ASSChat, and how its packets are carried, goes through every flow of it, on a real cluster.
import { test } from "node:test";
import { runFlows } from "../flows.ts";

test("ASSChat: every flow of its draft, with a client in Python", { timeout: 300_000 }, (t) =>
  runFlows(t, { folder: import.meta.dirname, packages: ["paho-mqtt==2.1.0"], flows: 42 }),
);
