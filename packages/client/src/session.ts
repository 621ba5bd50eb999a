// A device's session: made by login, renewed before its token runs out, renewed at once when the broker refuses it.
import { AppError, login, type ResultOf, refresh } from "@parley/protocol";
import { backoffMs } from "./backoff.ts";
import { callHttp } from "./http.ts";

/** What login and refresh answer. */
export type Session = ResultOf<typeof login>;

/** Renewing needs only the refresh token of a session that was kept. */
export type KeptSession = Session | { refreshToken: string };

export interface Credentials {
  username: string;
  password: string;
  /** the client id becomes `{username}:{device}`; made up by the server when absent */
  device?: string;
}

export interface SessionOptions {
  url: string;
  credentials?: Credentials | undefined;
  session?: KeptSession | undefined;
  /** a new session: keep it, its refresh token works once */
  onSession(session: Session): void;
  /** the token was renewed in time; connections made with the one before end with it */
  onRenewed(): void;
}

export type Sessions = Awaited<ReturnType<typeof openSessions>>;

const longestTimerMs = 2 ** 31 - 1;

export async function openSessions({ url, credentials, session, onSession, onRenewed }: SessionOptions) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let renewing: Promise<Session> | undefined;
  let closed = false;
  let current = await first();
  keep(current);

  async function first(): Promise<Session> {
    if (session && "token" in session && session.expiresAt > Date.now() + 60_000) return session;
    if (session) return refreshed(session.refreshToken);
    return logIn();
  }

  function logIn(): Promise<Session> {
    if (!credentials) throw new AppError("unauthenticated", "neither a session nor user name and password were given");
    return callHttp(url, login, { ...credentials });
  }

  async function refreshed(refreshToken: string): Promise<Session> {
    try {
      return await callHttp(url, refresh, { refreshToken });
    } catch (error) {
      if (credentials && AppError.from(error).code === "unauthenticated") return logIn();
      throw error;
    }
  }

  function keep(next: Session): void {
    current = next;
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

  function renew(): Promise<Session> {
    renewing ??= refreshed(current.refreshToken)
      .then((next) => {
        if (!closed) keep(next);
        return next;
      })
      .finally(() => {
        renewing = undefined;
      });
    return renewing;
  }

  return {
    current: () => current,
    /** A new token now; several callers share one request. */
    renew,
    close(): void {
      closed = true;
      clearTimeout(timer);
    },
  };
}
