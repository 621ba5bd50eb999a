// The two demo logins, and the lines that chat with them.

import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deviceTopics } from "@parley/protocol";
import { ingestPartition } from "@parley/protocol/partition";
import type { Login, RunFile } from "../cluster/run-file.ts";
import { SetupError } from "../processes/setup-error.ts";

const defaultFolder = join(import.meta.dirname, "../../../../.parley");

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

// What mosquitto's clients read their options from, each a file of its name in the folder that XDG_CONFIG_HOME names: a
// password among the arguments would be in every user's list of processes.
const optionFiles = ["mosquitto_pub", "mosquitto_sub", "mosquitto_rr"];

/** Writes the login where mosquitto's clients read it; answers the folder. */
function writeOptions(dir: string, { username, password }: Login): string {
  const folder = join(dir, "demo", username);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const name of optionFiles)
    writeFileSync(join(folder, name), `-u ${username}\n-P ${password}\n`, { mode: 0o600 });
  return folder;
}

/** What `npm start` prints when all is ready: lines to paste into a shell, whatever the folder is named. */
export function describeRun(dir: string, run: RunFile, [sender, receiver]: [Login, Login]): string {
  const { host, port, ws } = run.mqtt;
  const from = `${sender.username}:pub`;
  const to = `${receiver.username}:sub`;
  const { publish } = deviceTopics(ingestPartition(from), sender.username, from);
  const { subscribe } = deviceTopics(ingestPartition(to), receiver.username, to);
  const login = (who: Login) => `XDG_CONFIG_HOME=${quote(writeOptions(dir, who))}`;
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

  ${login(receiver)} mosquitto_sub ${broker} -i ${to} -q 1 ${subscribe.map((topic) => `-t ${topic}`).join(" ")}

and ${sender.username} sends, in another:

  ${login(sender)} mosquitto_pub ${broker} -i ${from} -q 1 -t ${publish.msg} -m '${JSON.stringify(packet)}'

Or with Parley's own client, a terminal each:

${chatLine(dir, sender, receiver)}
${chatLine(dir, receiver, sender)}

Ctrl-C stops everything.
`;
}

// It finds the password in run.json.
function chatLine(dir: string, me: Login, other: Login): string {
  const where = dir === defaultFolder ? "" : `PARLEY_DIR=${quote(dir)} `;
  return `  ${where}npm run parley -- chat ${other.username} --user ${me.username}`;
}

// As one word of a shell.
function quote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
