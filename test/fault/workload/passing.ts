// A room from which one member is removed and to which it is invited again, while the others talk.
import { callHttp } from "@parley/client";
import { roomConv, roomsCreate, roomsInvite, roomsRemove } from "@parley/protocol";
import type { Cluster } from "@parley/testkit";
import type { Random } from "../seeded.ts";
import { type People, patiently } from "./people.ts";
import { wait } from "./wait.ts";

export interface Passing {
  conv: string;
  address: string;
  /** members all the time */
  staying: readonly string[];
  /** who comes and goes */
  uid: string;
  refused: string[];
  /** Resolves when it has been removed for the last time. */
  finish(): Promise<void>;
  stop(): void;
}

const restMs = 1_500;

/** The first two people stay; the last but one comes and goes. */
export async function startPassing(cluster: Cluster, people: People, name: string, random: Random): Promise<Passing> {
  const base = cluster.run().http;
  const [owner = "", other = ""] = people.uids;
  const uid = people.uids.at(-2) ?? "";
  const id = `${name}-pass`;
  const { token } = await people.login(owner, "http");
  const create = { id, name: id, members: [other, uid] };
  await patiently(() => callHttp(base, roomsCreate, create, { token, idempotencyKey: `room-${id}` }));
  const refused: string[] = [];
  const stopping = new AbortController();
  let changes = 0;
  const change = async (method: typeof roomsInvite | typeof roomsRemove) => {
    const idempotencyKey = `${id}-${changes++}`;
    const call = () =>
      method === roomsInvite
        ? callHttp(base, roomsInvite, { id, uids: [uid] }, { token, idempotencyKey })
        : callHttp(base, roomsRemove, { id, uid }, { token, idempotencyKey });
    await patiently(call).catch((error: Error) => refused.push(`${method.name} ${idempotencyKey}: ${error.message}`));
  };
  const rest = () => wait(restMs + random.below(restMs), stopping.signal);
  const comeAndGo = async () => {
    while (!stopping.signal.aborted) {
      await rest();
      await change(roomsRemove);
      if (stopping.signal.aborted) return;
      await rest();
      await change(roomsInvite);
    }
    await change(roomsRemove);
  };
  const done = comeAndGo();
  return {
    conv: roomConv(id),
    address: `room/${id}`,
    staying: [owner, other],
    uid,
    refused,
    finish() {
      stopping.abort();
      return done;
    },
    stop: () => stopping.abort(),
  };
}
