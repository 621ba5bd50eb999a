// From options to a client: with a session, or with everything missed already shown.
import { AppError } from "@parley/protocol";
import { ParleyClient } from "./client.ts";
import type { ClientOptions, Listeners } from "./options.ts";
import { openSessions } from "./session.ts";

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
  const { url, username, password, device, session, sessionStore, store, cache } = options;
  checkPacketSize(options.maximumPacketSize);
  let client: ParleyClient | undefined;
  const named = username === undefined || password === undefined ? undefined : { username, password };
  const sessions = await openSessions({
    url,
    credentials: named && { ...named, ...(device !== undefined && { device }) },
    session,
    store: sessionStore,
    onSession: (next) => options.onSession?.(next),
    onRenewed: () => client?.renew(),
  });
  const [kept, cached] = await Promise.all([store?.load(), cache?.load()]);
  client = new ParleyClient({ options, listeners, sessions, kept, cached });
  return client;
}

function checkPacketSize(bytes: number | undefined): void {
  if (bytes === undefined || (Number.isInteger(bytes) && bytes >= leastPacketBytes && bytes < 2 ** 32)) return;
  throw new AppError("invalid_packet", `maximumPacketSize is ${bytes}; it must be at least ${leastPacketBytes}`);
}
