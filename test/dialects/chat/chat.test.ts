// A client that knows the documents of chat and nothing of Parley goes through every flow of them, on a real cluster.
import { test } from "node:test";
import { runFlows } from "../flows.ts";

// The phones and mailboxes of the client, whose code is always the same.
const fixed = [
  ...Array.from({ length: 400 }, (_, at) => `3806700${String(at).padStart(5, "0")}=123456`),
  "a@mail.example=123456",
].join(",");

test("chat: every flow of its documents, with an unchanged client in Python", { timeout: 300_000 }, (t) =>
  runFlows(t, {
    folder: import.meta.dirname,
    packages: ["paho-mqtt==2.1.0", "websockets==15.0.1"],
    env: { API_CODES_FIXED: fixed, AUTH_WEBHOOK_STRANGER_CONNECTS: "1000", PUSH_APP_ID: "com.example.chat" },
    flows: 46,
  }),
);
