// The devices of a user who is erased: disconnected at the broker with their sessions, then forgotten.
import { AppError, isUid, subjects } from "@parley/protocol";
import { type Answering, answerCompact, answerJson, type Logger, removeRequestsOf } from "@parley/runtime";
import type { Store } from "@parley/store";
import type { MethodParts } from "./methods.ts";
import { unavailable } from "./requests.ts";
import type { Telling } from "./tell/telling.ts";

interface Parts extends MethodParts {
  requests: Parameters<typeof removeRequestsOf>[0];
  store: Pick<Store, "compact">;
  telling: Pick<Telling, "erase">;
  log: Logger;
}

export function serveErasure(parts: Parts, queue: string): Answering[] {
  const { nats, store, log } = parts;
  return [
    answerJson<{ uid?: unknown }>(nats, subjects.eraseDevices, queue, ({ uid }) => eraseDevices(parts, uid), log),
    answerCompact(nats, { service: queue, compact: () => store.compact(), log }),
  ];
}

// Again is harmless. Its tokens are revoked before, so that none comes back.
async function eraseDevices({ devices, sessions, broker, requests, telling }: Parts, uid: unknown): Promise<object> {
  if (typeof uid !== "string" || !isUid(uid)) throw new AppError("invalid_packet", "uid is not the id of a user");
  try {
    const [kept, connected] = await Promise.all([devices.ofUser(uid), sessions.ofUser(uid)]);
    for (const clientId of new Set([...kept.map((device) => device.clientId), ...connected.keys()])) {
      await broker?.disconnect(clientId);
      await sessions.change({ op: "end", uid, clientId, at: Date.now() });
      await devices.remove(clientId, uid);
    }
    await telling.erase(uid);
    await removeRequestsOf(requests, uid);
  } catch (error) {
    throw unavailable(error);
  }
  return {};
}
