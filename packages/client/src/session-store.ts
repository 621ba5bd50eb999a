// Where a device's session is kept, so that an app starts without a login, and several tabs or programs share one.
import type { login, ResultOf } from "@parley/protocol";
import type { KeyValueStorage } from "./outbox-store.ts";

/** What login and refresh answer. */
export type Session = ResultOf<typeof login>;

/** `load` answers what `save` kept last, whoever called it. */
export interface SessionStore {
  load(): Promise<Session | undefined>;
  save(session: Session): Promise<void>;
}

/** A session in `localStorage` (or anything like it): every tab of the page has the same one. */
export function storageSession(storage: KeyValueStorage, name: string): SessionStore {
  const key = `parley-session/${name}`;
  return {
    load: async () => parseSession(storage.getItem(key)),
    save: async (session) => storage.setItem(key, JSON.stringify(session)),
  };
}

/** Undefined for what is no session: a login makes a new one. */
export function parseSession(text: string | null): Session | undefined {
  try {
    const session = JSON.parse(text ?? "") as Session;
    return isSession(session) ? session : undefined;
  } catch {
    return undefined;
  }
}

/** Whether all is there that a device needs to know who it is. */
export function isSession(kept: object): kept is Session {
  const { uid, clientId, refreshToken, topics, mqtt } = kept as Partial<Session>;
  return Boolean(uid && clientId && refreshToken && topics?.publish && topics.subscribe && mqtt);
}
