// Devices that are to be notified: each has registered a token of one provider.
import { callHttp } from "@parley/client";
import { type ParamsOf, pushRegister } from "@parley/protocol";
import type { Cluster } from "@parley/testkit";
import { logIn, makeKey } from "../people.ts";

export type MeasuredProvider = "apns" | "fcm";

const together = 16;
let made = 0;

/** Registers a new token for the device that each of these logins is of. */
export async function registerTokens(
  cluster: Cluster,
  logins: readonly string[],
  kind: MeasuredProvider,
): Promise<void> {
  const { http } = cluster.run();
  for (let from = 0; from < logins.length; from += together)
    await Promise.all(
      logins.slice(from, from + together).map((token) => callHttp(http, pushRegister, registration(kind), { token })),
    );
}

/** A phone of each of these users, which is logged in, has a token, and is not connected. */
export async function makePhones(cluster: Cluster, uids: readonly string[], kind: MeasuredProvider): Promise<void> {
  const { http } = cluster.run();
  const key = await makeKey(cluster);
  const logins: string[] = [];
  for (const uid of uids) logins.push((await logIn(http, key, uid, "phone")).token);
  await registerTokens(cluster, logins, kind);
}

function registration(kind: MeasuredProvider): ParamsOf<typeof pushRegister> {
  made += 1;
  const token = kind === "apns" ? made.toString(16).padStart(64, "0") : `installation-${made}:of-the-bench`;
  return { kind, token, appId: "app.parley" };
}
