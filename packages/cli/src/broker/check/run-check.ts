// `parley broker check`: the cases at each address, a line as each is done, and the table.
import { callHttp } from "@parley/client";
import { AppError, usersAccount } from "@parley/protocol";
import type { Output } from "../../output.ts";
import { nativeCases } from "./cases.ts";
import { type Endpoint, knock } from "./device.ts";
import { strangers, wasLetIn } from "./doors.ts";
import { endpointsOf, type Row, runCases } from "./run-cases.ts";
import { sumOf, tableOf } from "./table.ts";
import { openWorld, type System } from "./world.ts";

interface Check {
  system: System;
  /** what the server key is called where it is given */
  keyName: string;
  urls: readonly string[];
  patienceMs: number;
  output: Output;
}

/** Throws, with one sentence, when a case does not hold or none could be asked. */
export async function runCheck({ system, keyName, urls, patienceMs, output }: Check): Promise<void> {
  await tryKey(system, keyName);
  for (const url of urls) {
    // A broker that lets in everybody answers too: the cases say what is wrong with it.
    const answer = await knock(url, patienceMs);
    if (typeof answer === "object") throw notMqtt(url, answer.silent);
  }
  const endpoints = endpointsOf(urls).map((one): Endpoint => ({ ...one, waitMs: patienceMs }));
  const rows = await runCases({
    endpoints,
    cases: nativeCases,
    open: (endpoint, name) => openWorld({ ...system, removesPeople: true }, endpoint, name),
    onRow: ({ holds, outcome, seen }) => output.note(`${outcome === "yes" ? "✔" : "✖"} ${holds} (${seen})`),
  });
  conclude(rows, output);
}

async function tryKey({ api, key }: System, keyName: string): Promise<void> {
  try {
    await callHttp(api, usersAccount, { uid: "nobody-of-the-check" }, { token: key });
  } catch (cause) {
    const { code, message } = AppError.from(cause);
    // That there is no such user is an answer.
    if (code === "not_found") return;
    const isOfKey = code === "unauthenticated" || code === "forbidden";
    if (isOfKey) throw new AppError(code, `${api} does not take the key of ${keyName}: ${message}`, { cause });
    // Of a server that is no Parley, or does not answer, the address is said already.
    throw new AppError(code, message.includes(new URL(api).host) ? message : `${api}: ${message}`, { cause });
  }
}

function notMqtt(url: string, why: string): AppError {
  return new AppError("unavailable", `${url} does not speak MQTT${why && `: ${why}`}`);
}

function conclude(rows: readonly Row[], output: Output): void {
  if (output.json) for (const row of rows) output.result(row, "");
  else output.result(rows, `\n${tableOf(rows)}\n\n${sumOf(rows)}`);
  const failed = rows.filter(({ outcome }) => outcome === "no");
  if (failed.length === 0) return;
  const isOpen = failed.some(({ holds, seen }) => holds === strangers.holds && seen.includes(wasLetIn));
  const open = isOpen ? "open: it lets in anybody. " : "";
  throw new Error(`${open}${failed.length} of ${rows.length} do not hold: this broker is not one for Parley as it is`);
}
