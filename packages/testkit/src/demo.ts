// The two demo logins, and the lines that chat with them.

import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deviceTopics } from "@parley/protocol";
import { ingestPartition } from "@parley/protocol/partition";
import type { Login, RunFile } from "./run-file.ts";
import { SetupError } from "./setup-error.ts";

/** Reads the logins kept in the data folder, or makes them, and sees to it that api knows them. */
export async function readDemo(dir: string, http: string): Promise<Login[]> {
  const logins = read(dir) ?? make(dir);
  for (const login of logins) await register(http, login);
  return logins;
}

function read(dir: string): Login[] | undefined {
  try {
    return JSON.parse(readFileSync(join(dir, "demo.json"), "utf8")) as Login[];
  } catch {
    return undefined;
  }
}

function make(dir: string): Login[] {
  const logins = ["alice", "bob"].map((username) => ({ username, password: randomBytes(6).toString("hex") }));
  writeFileSync(join(dir, "demo.json"), `${JSON.stringify(logins)}\n`, { mode: 0o600 });
  return logins;
}

async function register(http: string, login: Login): Promise<void> {
  const response = await fetch(`${http}/register`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(login),
  });
  const body = await response.text();
  // From an earlier start.
  if (response.ok || response.status === 409) return;
  throw new SetupError(`the demo login ${login.username} could not be made: ${response.status} ${body}`);
}

/** What `npm start` prints when all is ready. */
export function describeRun(run: RunFile, [sender, receiver]: [Login, Login]): string {
  const { host, port, ws } = run.mqtt;
  const from = `${sender.username}:pub`;
  const to = `${receiver.username}:sub`;
  const { publish } = deviceTopics(ingestPartition(from), sender.username, from);
  const { subscribe } = deviceTopics(ingestPartition(to), receiver.username, to);
  const login = ({ username, password }: Login) => `-u ${username} -P ${password}`;
  const broker = `-h ${host} -p ${port}`;
  // Without an `id`, so that the line can be pasted again and again.
  const packet = { to: `user/${receiver.username}`, type: "chat", content: { type: "text", data: "hello" } };
  return `
Parley is ready.

  HTTP       ${run.http} (its methods: ${run.http}/docs)
  MQTT       mqtt://${host}:${port}
  WebSocket  ${ws}
  logins     ${[sender, receiver].map(({ username, password }) => `${username} / ${password}`).join(", ")}

Chat with any MQTT client. ${receiver.username} listens, in one terminal:

  mosquitto_sub ${broker} -i ${to} ${login(receiver)} -q 1 ${subscribe.map((topic) => `-t ${topic}`).join(" ")}

and ${sender.username} sends, in another:

  mosquitto_pub ${broker} -i ${from} ${login(sender)} -q 1 -t ${publish.msg} -m '${JSON.stringify(packet)}'

Or with Parley's own client, a terminal each:

${chatLine(sender, receiver)}
${chatLine(receiver, sender)}

Ctrl-C stops everything.
`;
}

function chatLine(me: Login, other: Login): string {
  return `  npm run parley -- chat user/${other.username} --user ${me.username} --password ${me.password}`;
}
