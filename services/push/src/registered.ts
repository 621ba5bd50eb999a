// What users registered and set: their tokens and settings, the methods about them, and their end with an account.
import { AppError, isUid, type PushEraseRequest, subjects } from "@parley/protocol";
import {
  type Answering,
  answerJson,
  available,
  keepRequests,
  type MethodHandler,
  type NatsConnection,
  type RequestDoc,
  removeRequestsOf,
  requestIndexes,
  type ServiceContext,
  serveMethods,
} from "@parley/runtime";
import type { Documents } from "@parley/store";
import { followChanges } from "./changes.ts";
import { openSettings, type Settings } from "./settings.ts";
import { settingsMethods } from "./settings-methods.ts";
import type { Defaults } from "./tokens/check.ts";
import { tokenMethods } from "./tokens/methods.ts";
import { openTokens, type Tokens } from "./tokens/tokens.ts";

export interface Registered {
  tokens: Tokens;
  settings: Settings;
  /** Begins to answer. */
  serve(queue: string): Answering[];
  close(): Promise<void>;
}

interface Parts extends Pick<ServiceContext, "log" | "pass"> {
  documents: Documents;
  nats: NatsConnection;
  /** of tokens */
  defaults?: Defaults;
  vapidPublicKey: string;
}

export async function openRegistered(parts: Parts): Promise<Registered> {
  const { documents, nats, defaults = {}, vapidPublicKey, pass, log } = parts;
  const requests = await documents.collection<RequestDoc>({ name: "requests", indexes: requestIndexes });
  const keeping = keepRequests(requests, log);
  const caches: Pick<Tokens & Settings, "forget" | "clear">[] = [];
  const changes = followChanges({
    nats,
    forget(uids) {
      for (const cache of caches) cache.forget(uids);
    },
    forgetAll() {
      for (const cache of caches) cache.clear();
    },
    log,
  });
  const tokens = await openTokens({ documents, nats, changed: changes.tell, pass, log });
  const settings = await openSettings(documents, changes.tell);
  caches.push(tokens, settings);
  const handlers: MethodHandler[] = [
    ...tokenMethods({ tokens, defaults }),
    ...settingsMethods({ settings, logins: tokens.logins, vapidPublicKey }),
  ];
  /** Its logins are revoked before, so that none comes back. Again is harmless. */
  async function erase({ uid }: { uid?: unknown }): Promise<object> {
    if (typeof uid !== "string" || !isUid(uid)) throw new AppError("invalid_packet", "uid is not the id of a user");
    await tokens.removeUser(uid);
    pass("before-tokens-erased");
    await settings.remove(uid);
    await removeRequestsOf(requests, uid);
    return {};
  }
  return {
    tokens,
    settings,
    serve: (queue) => [
      serveMethods(nats, { queue, handlers, once: keeping.once, log }),
      answerJson<Partial<PushEraseRequest>>(
        nats,
        subjects.erasePush,
        queue,
        (asked) => available(() => erase(asked)),
        log,
      ),
    ],
    async close() {
      keeping.close();
      changes.close();
      await tokens.close();
    },
  };
}
