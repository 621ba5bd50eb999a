// One HTTP/2 connection to one of Apple's environments, as long as push runs: warmed up, and given up when it is silent.
import type { ClientHttp2Session } from "node:http2";
import { isIP } from "node:net";
import { checkServerIdentity, type PeerCertificate } from "node:tls";
import { within } from "@parley/runtime";
import apn from "apn";
import { reasonOf } from "../attempts.ts";
import type { ApnsNotification, Outcome } from "../outgoing.ts";
import { type ApnsVerdict, readResult } from "./outcome.ts";

export interface ApnsPlace {
  host: string;
  port: number;
  production: boolean;
  /** PEM, instead of the authorities that Node knows */
  ca?: string | undefined;
}

export type ApnsCredentials = { token: { key: string; keyId: string; teamId: string } } | { cert: string; key: string };

export interface ApnsConnection {
  /** Sends one, as soon as the connection is warm: `begun` is called then. Never rejects. */
  post(notification: ApnsNotification, begun: () => void): Promise<Outcome>;
  /** Of one that had begun at `begunAt` (by performance.now) nothing was heard in time. */
  timedOut(begunAt: number): void;
  /** Nothing may be in flight any more. */
  close(): Promise<void>;
}

/**
 * The token with which requests are signed, as the library keeps it. Apple takes few new ones of one key, so all
 * connections, and those that take their place, sign with the same.
 */
export interface Signing {
  token?: unknown;
}

/** What the library keeps to itself and we need; a test sees that it is there. */
interface Inside {
  client: { session?: ClientHttp2Session; config: { token?: unknown } };
}

/** A silent connection is never replaced by the library, which only logs that its pings are not answered. */
const silencesMax = 3;
const closeMs = 1_000;

export interface ConnectionOptions {
  place: ApnsPlace;
  credentials: ApnsCredentials;
  signing: Signing;
  deadlineMs: number;
}

export function openConnection(options: ConnectionOptions): ApnsConnection {
  let provider = openProvider(options);
  let openedAt = performance.now();
  let silences = 0;
  let warm: ClientHttp2Session | undefined;
  let warming: Promise<ApnsVerdict> | undefined;

  function isWarm(): boolean {
    const { session } = inside(provider).client;
    return session !== undefined && session === warm && !session.closed && !session.destroyed;
  }

  async function send(notification: ApnsNotification): Promise<ApnsVerdict> {
    const by = provider;
    try {
      const verdict = readResult(await by.send(write(notification), notification.token));
      if (verdict.answered && by === provider) {
        silences = 0;
        warm = inside(by).client.session;
      }
      return verdict;
    } catch (error) {
      return { outcome: { is: "unknown", reason: reasonOf(error) }, answered: false };
    }
  }

  function goFirst(notification: ApnsNotification): Promise<ApnsVerdict> {
    const first = send(notification).finally(() => {
      if (warming === first) warming = undefined;
    });
    warming = first;
    return first;
  }

  return {
    // Apple allows a new connection one stream, until it has seen who sends on it: one goes first, alone.
    async post(notification, begun) {
      while (!isWarm()) {
        if (warming === undefined) {
          begun();
          return (await goFirst(notification)).outcome;
        }
        const { answered, outcome } = await warming;
        if (!answered) return outcome.is === "unknown" ? { is: "later", reason: outcome.reason } : outcome;
      }
      begun();
      return (await send(notification)).outcome;
    },
    timedOut(begunAt) {
      // Of the one before this there may be hundreds that end now.
      if (begunAt < openedAt || ++silences < silencesMax) return;
      silences = 0;
      openedAt = performance.now();
      warming = undefined;
      provider.shutdown();
      provider = openProvider(options);
    },
    async close() {
      await within(closeMs, new Promise<void>((closed) => void provider.shutdown(closed)));
    },
  };
}

function openProvider({ place, credentials, signing, deadlineMs }: ConnectionOptions): apn.Provider {
  const { host, port, production, ca } = place;
  // The library hands what it does not know on to node:http2. It knows the environment by `production` alone, so that
  // Apple's own name stands in each request, wherever it is sent to.
  const name = isIP(host) === 0 ? { servername: host } : { checkServerIdentity: nameCheck(host) };
  const at = { production, host, port, ...name, ...(ca !== undefined && { ca: [ca] }) };
  const provider = new apn.Provider({ ...credentials, ...at, requestTimeout: deadlineMs, connectionRetryLimit: 0 });
  const { config } = inside(provider).client;
  signing.token ??= config.token;
  config.token = signing.token;
  return provider;
}

/** An address is no name for TLS to ask for, so what is asked for is not what the certificate is held against. */
function nameCheck(host: string) {
  return (_asked: string, certificate: PeerCertificate) => checkServerIdentity(host, certificate);
}

function inside(provider: apn.Provider): Inside {
  return provider as unknown as Inside;
}

/** A new one each time: the library keeps the body with which it was sent first. */
function write({ topic, id, pushType, priority, collapseId, expiresAt, payload }: ApnsNotification): apn.Notification {
  const notification = new apn.Notification();
  Object.assign(notification, { topic, id, pushType, priority, expiry: expiresAt, rawPayload: payload });
  if (collapseId !== undefined) notification.collapseId = collapseId;
  return notification;
}
