// From options to a client: with a session, or with everything missed already shown.
import { AppError } from "@parley/protocol";
import { ParleyClient } from "./client.ts";
import type { ClientOptions, Listeners } from "./options.ts";
import { openSessions } from "./session.ts";

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

/** Like connectParley, but resolves as soon as there is a session: what is sent meanwhile waits in the outbox. */
export async function startClient(options: ClientOptions, listeners: Listeners = {}): Promise<ParleyClient> {
  const { url, username, password, device, session, store } = options;
  let client: ParleyClient | undefined;
  const named = username === undefined || password === undefined ? undefined : { username, password };
  const sessions = await openSessions({
    url,
    credentials: named && { ...named, ...(device !== undefined && { device }) },
    session,
    onSession: (next) => options.onSession?.(next),
    onRenewed: () => client?.renew(),
  });
  client = new ParleyClient({ options, listeners, sessions, kept: await store?.load() });
  return client;
}
