// From options to a client: with a session, or with everything missed already shown.
import { AppError } from "@parley/protocol";
import { ParleyClient } from "./client.ts";
import { storeTrouble } from "./conversations.ts";
import type { ClientOptions, Listeners } from "./options.ts";
import { type Credentials, openSessions } from "./session.ts";

/** What an answer may be cut to (`maxBytes` of a request). */
const leastPacketBytes = 1_024;

/** Connects and resolves when everything missed has been shown; throws an AppError that says why it cannot. */
export async function connectParley(options: ClientOptions, listeners: Listeners = {}): Promise<ParleyClient> {
  const client = await startClient(options, listeners);
  const timeoutMs = options.connectTimeoutMs ?? 30_000;
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new AppError("unavailable", `not connected after ${timeoutMs} ms`)),
    timeoutMs,
  );
  try {
    await Promise.race([client.ready, late.promise]);
    return client;
  } catch (error) {
    await client.close();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Like connectParley, but resolves as soon as it is known who the device is: what is sent meanwhile waits in the outbox.
 * With a session that was kept, even one that has run out, it needs no server for that.
 */
export async function startClient(options: ClientOptions, listeners: Listeners = {}): Promise<ParleyClient> {
  const { url, session, sessionStore, store, cache } = options;
  checkPacketSize(options.maximumPacketSize);
  let client: ParleyClient | undefined;
  const sessions = await openSessions({
    url,
    credentials: credentialsOf(options),
    session,
    store: sessionStore,
    onSession: (next) => options.onSession?.(next),
    onRenewed: () => client?.renew(),
  });
  const troubles: AppError[] = [];
  const read = async <T>(name: "cache" | "outbox", load: () => Promise<T> | undefined): Promise<T | undefined> => {
    try {
      return await load();
    } catch (cause) {
      troubles.push(storeTrouble(name, cause));
      return undefined;
    }
  };
  const [kept, cached] = await Promise.all([read("outbox", () => store?.load()), read("cache", () => cache?.load())]);
  // What cannot be read is not written either: it stays as it is for a start that can.
  const { store: _, cache: _cache, ...rest } = options;
  const readable = { ...rest, ...(store && kept && { store }), ...(cache && cached && { cache }) };
  client = new ParleyClient({ options: readable, listeners, sessions, kept, cached, troubles });
  return client;
}

function credentialsOf({ username, password, account, device, kind }: ClientOptions): Credentials | undefined {
  if (username === undefined || password === undefined) return undefined;
  return {
    ...{ username, password },
    ...(account !== undefined && { account }),
    ...(device !== undefined && { device }),
    ...(kind !== undefined && { kind }),
  };
}

function checkPacketSize(bytes: number | undefined): void {
  if (bytes === undefined || (Number.isInteger(bytes) && bytes >= leastPacketBytes && bytes < 2 ** 32)) return;
  throw new AppError("invalid_packet", `maximumPacketSize is ${bytes}; it must be at least ${leastPacketBytes}`);
}
