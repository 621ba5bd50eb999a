// A local push service for tests and figures: it gives subscriptions, checks VAPID, and decrypts as the browser would.
import { createECDH, createPublicKey, randomBytes } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { createServer } from "node:https";
import { jwtVerify } from "jose";
import type { TestContext } from "../testing/start-servers.ts";
import { testAuthority } from "./certificates.ts";
import { decrypt, type Receiver } from "./decrypt.ts";
import { keyFolder } from "./folder.ts";
import { type HttpsReply, readBody, replyHttps } from "./https-reply.ts";
import { type Listener, openListener } from "./listener.ts";

/** What an app registers. */
export interface Subscription {
  endpoint: string;
  keys: { p256dh: string; auth: string };
}

/** One message that came whole, was signed as it has to be, and could be decrypted. */
export interface WebPushRequest {
  subscription: Subscription;
  headers: IncomingHttpHeaders;
  payload: string;
  /** bytes of its body as it came */
  bytes: number;
  /** `sub` of its signed token: whom to write to about this sender */
  contact: string | undefined;
  /** the n-th, from 1 */
  n: number;
}

export interface WebPushOptions {
  /** the only VAPID key that is taken, as base64url; any one unless said, and then the first that was used for a subscription */
  vapidKey?: string;
  /** messages are counted, and neither decrypted nor kept: for figures */
  counts?: boolean;
  port?: number;
}

export interface WebPush extends Listener {
  /** The settings of push with which it sends to this server. */
  settings: Record<string, string>;
  subscribe(): Subscription;
  seen: WebPushRequest[];
  count(): number;
  /** What is said from now on to messages that are in order; undefined is a 201. */
  answer(how: Answer): void;
}

type Answer = (request: WebPushRequest) => HttpsReply | undefined | Promise<HttpsReply | undefined>;

interface Subscriber extends Receiver {
  subscription: Subscription;
  vapidKey: string | undefined;
}

const bodyBytesMax = 4096;
const urgencies = ["very-low", "low", "normal", "high"];

export async function startWebPush(t: TestContext, options: WebPushOptions = {}): Promise<WebPush> {
  const write = await keyFolder(t);
  const { ca, forServer } = await testAuthority();
  const subscribers = new Map<string, Subscriber>();
  const seen: WebPushRequest[] = [];
  let n = 0;
  let answer: Answer = () => undefined;

  async function take(path: string, headers: IncomingHttpHeaders, body: Buffer, origin: string): Promise<HttpsReply> {
    n++;
    const subscriber = subscribers.get(path);
    if (subscriber === undefined) return { status: 404, body: "no such subscription" };
    const contact = await verify(headers.authorization, subscriber, origin);
    if (contact === undefined) return { status: 403, body: "the VAPID credentials are not those of this subscription" };
    const wrong = judge(headers, body);
    if (wrong) return wrong;
    const created = { status: 201, headers: { location: `${origin}/message/${n}` } };
    if (options.counts) return created;
    const { subscription } = subscriber;
    const request = { subscription, headers, payload: decrypt(body, subscriber), bytes: body.length, n, ...contact };
    seen.push(request);
    return (await answer(request)) ?? created;
  }

  const server = createServer({ ...(await forServer(["localhost", "127.0.0.1"])), keepAlive: true });
  // It is not the server that ends idle connections.
  server.keepAliveTimeout = 0;
  server.on("request", async (request, response) => {
    const body = await readBody(request).catch(() => undefined);
    if (body === undefined) return;
    if (request.method !== "POST") return replyHttps(response, { status: 405 });
    // A body that cannot be decrypted is lost on a browser: no push service would say so, a test has to.
    const how = await take(request.url ?? "", request.headers, body, `https://${request.headers.host}`).catch(
      (error: Error) => ({ status: 400, body: `not decrypted: ${error.message}` }),
    );
    replyHttps(response, how);
  });
  const listener = await openListener(t, server, options.port);
  const url = `https://127.0.0.1:${listener.port}`;
  return {
    ...listener,
    url,
    settings: {
      PUSH_WEB_SUBJECT: "mailto:operator@parley.example",
      PUSH_WEB_ALLOW: "127.0.0.1",
      PUSH_WEB_CA_FILE: await write("ca.pem", ca),
    },
    seen,
    count: () => n,
    answer(how) {
      answer = how;
    },
    subscribe() {
      const path = `/push/${randomBytes(16).toString("base64url")}`;
      const ours = createECDH("prime256v1");
      const publicKey = ours.generateKeys();
      const authSecret = randomBytes(16);
      const keys = { p256dh: publicKey.toString("base64url"), auth: authSecret.toString("base64url") };
      const subscription = { endpoint: url + path, keys };
      const receiver = { privateKey: ours.getPrivateKey(), publicKey, authSecret };
      subscribers.set(path, { ...receiver, subscription, vapidKey: options.vapidKey });
      return subscription;
    },
  };
}

/** Whom the token names; undefined: it is not signed by the key of the subscription, for us, for a day at most [RFC 8292]. */
async function verify(authorization: string | undefined, subscriber: Subscriber, origin: string) {
  const [, token, key] = /^vapid t=([^,\s]+), ?k=([\w-]+)$/.exec(authorization ?? "") ?? [];
  if (token === undefined || key === undefined) return undefined;
  subscriber.vapidKey ??= key;
  if (key !== subscriber.vapidKey) return undefined;
  const point = Buffer.from(key, "base64url");
  const [x, y] = [point.subarray(1, 33).toString("base64url"), point.subarray(33).toString("base64url")];
  try {
    const publicKey = createPublicKey({ key: { kty: "EC", crv: "P-256", x, y }, format: "jwk" });
    const claims = { algorithms: ["ES256"], audience: origin, requiredClaims: ["exp"] };
    const { payload } = await jwtVerify(token, publicKey, claims);
    const isShort = (payload.exp ?? 0) <= Date.now() / 1000 + 24 * 3600;
    return isShort ? { contact: payload.sub } : undefined;
  } catch {
    return undefined;
  }
}

function judge(headers: IncomingHttpHeaders, body: Buffer): HttpsReply | undefined {
  const { ttl, topic, urgency = "normal" } = headers;
  if (!/^\d+$/.test(String(ttl))) return { status: 400, body: "TTL is missing" };
  if (topic !== undefined && !/^[\w-]{1,32}$/.test(String(topic))) return { status: 400, body: "Topic is not one" };
  if (!urgencies.includes(String(urgency))) return { status: 400, body: "Urgency is not one" };
  if (headers["content-encoding"] !== "aes128gcm") return { status: 415, body: "Content-Encoding is not aes128gcm" };
  if (body.length > bodyBytesMax) return { status: 413, body: "too large" };
  return undefined;
}
