// A client of mqtt-chat that knows its page and its programs, and nothing of Parley (Python, paho-mqtt), runs every flow of the page.
import { test } from "node:test";
import { runFlows } from "../flows.ts";

test(
  "mqtt-chat: every flow of its page and its programs, with an unchanged client in Python",
  { timeout: 300_000 },
  (t) => runFlows(t, { folder: import.meta.dirname, packages: ["paho-mqtt==2.1.0"], flows: 30 }),
);
