// A client that knows the SlimChat draft and nothing of Parley goes through every flow of it, on a real cluster.
import { test } from "node:test";
import { runFlows } from "../flows.ts";

test("SlimChat: every flow of its draft, with an unchanged client in Python", { timeout: 300_000 }, (t) =>
  runFlows(t, { folder: import.meta.dirname, packages: ["paho-mqtt==2.1.0"], flows: 26 }),
);
