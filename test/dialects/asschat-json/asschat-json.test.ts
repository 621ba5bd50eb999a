// A client that knows the page of ASSChat's second form goes through every flow of it, in MQTT 3.1.1 and 5, on a real cluster.
import { test } from "node:test";
import { runFlows } from "../flows.ts";

test("ASSChat's second form: every flow of its page, with a client in Python", { timeout: 300_000 }, (t) =>
  runFlows(t, {
    folder: import.meta.dirname,
    packages: ["paho-mqtt==2.1.0"],
    env: { PUSH_APP_ID: "com.example.asschat" },
    flows: 36,
  }),
);
