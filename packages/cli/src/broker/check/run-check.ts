// `parley broker check`: the cases at each address, a line as each is done, and the table.
import { callHttp } from "@parley/client";
import { AppError, usersAccount } from "@parley/protocol";
import type { Output } from "../../output.ts";
import { nativeCases } from "./cases.ts";
import { type Endpoint, knock } from "./device.ts";
import { endpointsOf, type Row, runCases } from "./run-cases.ts";
import { sumOf, tableOf } from "./table.ts";
import { openWorld, type System } from "./world.ts";

interface Check {
  system: System;
  urls: readonly string[];
  patienceMs: number;
  output: Output;
}

/** Throws, with one sentence, when a case does not hold or none could be asked. */
export async function runCheck({ system, urls, patienceMs, output }: Check): Promise<void> {
  await callHttp(system.api, usersAccount, { uid: "nobody-of-the-check" }, { token: system.key }).catch((thrown) => {
    const error = AppError.from(thrown);
    // That there is no such user is an answer.
    if (error.code !== "not_found")
      throw new AppError(error.code, `${system.api}: ${error.message}`, { cause: thrown });
  });
  for (const url of urls) {
    // A broker that lets in everybody answers too: the cases say what is wrong with it.
    const answer = await knock(url, patienceMs);
    if (typeof answer === "object") throw new AppError("unavailable", `${url} does not speak MQTT: ${answer.silent}`);
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

function conclude(rows: readonly Row[], output: Output): void {
  if (output.json) for (const row of rows) output.result(row, "");
  else output.result(rows, `\n${tableOf(rows)}\n\n${sumOf(rows)}`);
  const failed = rows.filter(({ outcome }) => outcome === "no");
  if (failed.length > 0)
    throw new Error(`${failed.length} of ${rows.length} do not hold: this broker is not one for Parley as it is`);
}
