// The two demo logins, and the lines that chat with them.

import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deviceTopics } from "@parley/protocol";
import { ingestPartition } from "@parley/protocol/partition";
import type { Login, RunFile } from "./run-file.ts";
import { SetupError } from "./setup-error.ts";

/** The logins kept in the data folder, or new ones; api knows them. */
export async function readDemo(dir: string, http: string): Promise<[Login, Login]> {
  const kept = read(dir);
  const logins: [Login, Login] = kept ?? [await makeLogin(http, "alice"), await makeLogin(http, "bob")];
  if (kept) for (const login of kept) await register(http, login);
  else writeFileSync(join(dir, "demo.json"), `${JSON.stringify(logins)}\n`, { mode: 0o600 });
  return logins;
}

function read(dir: string): [Login, Login] | undefined {
  try {
    const logins: unknown = JSON.parse(readFileSync(join(dir, "demo.json"), "utf8"));
    return Array.isArray(logins) && logins.length === 2 && logins.every(isLogin)
      ? (logins as [Login, Login])
      : undefined;
  } catch {
    return undefined;
  }
}

function isLogin(value: unknown): value is Login {
  const { username, password } = (value ?? {}) as Partial<Login>;
  return typeof username === "string" && typeof password === "string";
}

// The name may be in use if the file was lost, and then nobody knows its password any more: the next one is alice2.
async function makeLogin(http: string, name: string): Promise<Login> {
  for (let n = 1; ; n += 1) {
    const login = { username: n === 1 ? name : `${name}${n}`, password: randomBytes(6).toString("hex") };
    if (await register(http, login)) return login;
  }
}

/** False if the name is in use. */
async function register(http: string, login: Login): Promise<boolean> {
  const response = await fetch(`${http}/register`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(login),
  });
  const body = await response.text();
  if (response.ok || response.status === 409) return response.ok;
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
  return `  npm run parley -- chat ${other.username} --user ${me.username} --password ${me.password}`;
}
