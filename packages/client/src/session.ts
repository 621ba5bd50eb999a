// A device's session: made by login, renewed before its token runs out, renewed at once when the broker refuses it.
import { AppError, backoffMs, login, refresh } from "@parley/protocol";
import { callHttp } from "./http.ts";
import { isBrowser } from "./network.ts";
import { isSession, type Session, type SessionStore } from "./session-store.ts";

/** Renewing needs only the refresh token of a session that was kept. */
export type KeptSession = Session | { refreshToken: string };

export interface Credentials {
  username: string;
  password: string;
  /** another account of this login; default: the one of the user name */
  account?: string;
  /** the client id becomes `{uid}:{device}`; made up by the server when absent */
  device?: string;
  /** what kind of program it is, for the user's list of devices; default: browser or node */
  kind?: string;
}

export interface SessionOptions {
  url: string;
  credentials?: Credentials | undefined;
  session?: KeptSession | undefined;
  store?: SessionStore | undefined;
  /** a new session: keep it, its refresh token works once */
  onSession(session: Session): void;
  /** the token was renewed in time; connections made with the one before end with it */
  onRenewed(): void;
}

export type Sessions = Awaited<ReturnType<typeof openSessions>>;

const longestTimerMs = 2 ** 31 - 1;
/** A token that ends so soon is not worth a connection. */
const leastLifeMs = 10_000;

/** Asks the server only when nobody has kept who the device is: a kept session may have run out, and the server be away. */
export async function openSessions({ url, credentials, session, store, onSession, onRenewed }: SessionOptions) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let renewing: Promise<Session> | undefined;
  let closed = false;
  let clientId: string | undefined;
  let current = await first();
  keep(current);

  async function first(): Promise<Session> {
    const kept = session ?? ours(await store?.load(), credentials);
    if (kept && isSession(kept)) return kept;
    return save(await (kept ? refreshed(kept.refreshToken) : logIn()));
  }

  // Before it is used: the refresh token before it works no more.
  async function save(next: Session): Promise<Session> {
    await store?.save(next).catch(() => {});
    return next;
  }

  function logIn(): Promise<Session> {
    if (!credentials) throw new AppError("unauthenticated", "neither a session nor user name and password were given");
    return callHttp(url, login, { kind: isBrowser() ? "browser" : "node", ...credentials });
  }

  async function refreshed(refreshToken: string): Promise<Session> {
    try {
      return await callHttp(url, refresh, { refreshToken });
    } catch (error) {
      if (AppError.from(error).code !== "unauthenticated") throw error;
      const others = await newerOfOthers(refreshToken);
      if (others) return others;
      if (credentials) return logIn();
      throw error;
    }
  }

  // Another tab or program of this device has renewed it meanwhile: the token that it used up is not tried again.
  async function newerOfOthers(refreshToken: string): Promise<Session | undefined> {
    const kept = await store?.load().catch(() => undefined);
    const newer = kept?.refreshToken !== refreshToken && (clientId === undefined || kept?.clientId === clientId);
    return kept && newer && kept.expiresAt > Date.now() + leastLifeMs ? kept : undefined;
  }

  function keep(next: Session): void {
    current = next;
    clientId = next.clientId;
    onSession(next);
    scheduleRenewal(Math.max(1_000, (next.expiresAt - Date.now()) * 0.8), 1);
  }

  function scheduleRenewal(inMs: number, attempt: number): void {
    clearTimeout(timer);
    if (closed) return;
    const early = inMs > longestTimerMs;
    timer = setTimeout(() => (early ? keep(current) : renewInTime(attempt)), Math.min(inMs, longestTimerMs));
    (timer as { unref?: () => void }).unref?.();
  }

  function renewInTime(attempt: number): void {
    renew().then(onRenewed, () => {
      scheduleRenewal(backoffMs(attempt, { baseMs: 1_000, maxMs: 60_000 }), attempt + 1);
    });
  }

  async function renewNow(): Promise<Session> {
    const { refreshToken } = current;
    const next = (await newerOfOthers(refreshToken)) ?? (await refreshed(refreshToken));
    await save(next);
    if (!closed) keep(next);
    return next;
  }

  function renew(): Promise<Session> {
    renewing ??= oneAtATime(store && current.clientId, renewNow).finally(() => {
      renewing = undefined;
    });
    return renewing;
  }

  return {
    current: () => current,
    /** A new token now; several callers share one request. */
    renew,

    /** The session with a token that is good for a connection. */
    fresh: async (): Promise<Session> => (current.expiresAt > Date.now() + leastLifeMs ? current : renew()),

    close(): void {
      closed = true;
      clearTimeout(timer);
    },
  };
}

// Kept for another user or device it is not ours.
function ours(kept: Session | undefined, credentials: Credentials | undefined): Session | undefined {
  if (!kept || !credentials) return kept;
  const { username, account = username, device } = credentials;
  const [is, wanted] = device === undefined ? [kept.uid, account] : [kept.clientId, `${account}:${device}`];
  return is.toLowerCase() === wanted.toLowerCase() ? kept : undefined;
}

// Tabs of one browser take turns, so that the second finds what the first has kept.
function oneAtATime<T>(name: string | undefined, work: () => Promise<T>): Promise<T> {
  const locks = (globalThis.navigator as Navigator | undefined)?.locks;
  return name === undefined || !locks ? work() : locks.request(`parley-session/${name}`, work);
}
