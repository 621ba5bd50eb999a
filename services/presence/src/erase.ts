// The devices of a user who is erased: disconnected at the broker with their sessions, then forgotten.
import { AppError, isUid, subjects } from "@parley/protocol";
import { type Answering, answerCompact, answerJson, available, type Logger, removeRequestsOf } from "@parley/runtime";
import type { Store } from "@parley/store";
import type { MethodParts } from "./methods.ts";
import type { Telling } from "./tell/telling.ts";
import type { KeptCursors } from "./trees/cursors.ts";

interface Parts extends MethodParts {
  requests: Parameters<typeof removeRequestsOf>[0];
  store: Pick<Store, "compact">;
  telling: Pick<Telling, "erase">;
  cursors: Pick<KeptCursors, "removeDevice" | "removeUser">;
  log: Logger;
}

const endedAtOnce = 8;
const listsMax = 1_000;
/** Whatever clock told of a session's begin. */
const afterAll = Number.MAX_SAFE_INTEGER;

export function serveErasure(parts: Parts, queue: string): Answering[] {
  const { nats, store, log } = parts;
  return [
    answerJson<{ uid?: unknown }>(
      nats,
      subjects.eraseDevices,
      queue,
      ({ uid }) => available(() => eraseDevices(parts, uid)),
      log,
    ),
    answerCompact(nats, { service: queue, compact: () => store.compact(), log }),
  ];
}

// Again is harmless. Its tokens are revoked before, so that none comes back. Of a list that is not all the rest is asked for again.
async function eraseDevices(parts: Parts, uid: unknown): Promise<object> {
  if (typeof uid !== "string" || !isUid(uid)) throw new AppError("invalid_packet", "uid is not the id of a user");
  const { devices, sessions, telling, requests, cursors } = parts;
  for (let list = 0; ; list++) {
    if (list === listsMax) throw new AppError("unavailable", "devices come again and again");
    const [kept, connected] = await Promise.all([devices.ofUser(uid), sessions.ofUser(uid)]);
    const left = [...new Set([...kept.map(({ clientId }) => clientId), ...connected.keys()])];
    if (left.length === 0) break;
    for (let from = 0; from < left.length; from += endedAtOnce)
      await Promise.all(left.slice(from, from + endedAtOnce).map((clientId) => eraseDevice(parts, uid, clientId)));
  }
  await cursors.removeUser(uid);
  await telling.erase(uid);
  await removeRequestsOf(requests, uid);
  return {};
}

async function eraseDevice(parts: Parts, uid: string, clientId: string): Promise<void> {
  const { devices, sessions, broker, cursors } = parts;
  await broker?.disconnect(clientId);
  await sessions.change({ op: "end", uid, clientId, at: afterAll });
  await devices.remove(clientId, uid);
  await cursors.removeDevice(clientId);
}
