// Sends through Web Push: encrypted for the subscription [RFC 8291], signed by our VAPID key [RFC 8292], one try each.
import type { Guard } from "@parley/runtime";
import { LRUCache } from "lru-cache";
import webPush, { type Headers } from "web-push";
import { openAttempts, reasonOf, unanswered } from "../attempts.ts";
import type { Outcome, Sender, WebPushNotification } from "../outgoing.ts";
import { readAnswer, readError } from "./outcome.ts";
import { openPost } from "./post.ts";

export interface WebPushOptions {
  vapid: { subject: string; publicKey: string; privateKey: string };
  /** where endpoints may lead to: they are users' input */
  guard: Guard;
  ca?: string | undefined;
  deadlineMs: number;
  inFlight: number;
}

/** A body of 4,096 bytes, the least that each push service takes. */
const payloadBytesMax = 3_993;
/** One push service that is slow leaves turns for others. */
const shareOfOne = 0.5;
/** A signature is good for twelve hours, and for all that goes to one push service. */
const signedMs = 3_600_000;
const servicesMax = 1_000;
/** Google's first push service, which takes no VAPID and has ended. */
const ended = "https://android.googleapis.com/gcm/send";

export function startWebPushSender(options: WebPushOptions): Sender<WebPushNotification> {
  const { vapid, guard, ca, deadlineMs, inFlight } = options;
  const atOnceEach = Math.max(1, Math.floor(inFlight * shareOfOne));
  const attempts = openAttempts({ deadlineMs, atOnce: inFlight, atOnceEach });
  const { post, close } = openPost({ guard, ca, deadlineMs });
  const signed = new LRUCache<string, string>({ max: servicesMax, ttl: signedMs });

  function authorizationFor(origin: string): string {
    const found = signed.get(origin);
    if (found !== undefined) return found;
    const { subject, publicKey, privateKey } = vapid;
    const { Authorization } = webPush.getVapidHeaders(origin, subject, publicKey, privateKey, "aes128gcm");
    signed.set(origin, Authorization);
    return Authorization;
  }

  /** `heard` is told what the status says, before the rest of the answer has come. */
  async function work(
    { notification, url }: { notification: WebPushNotification; url: URL },
    heard: (outcome: Outcome) => void,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const sealed = seal(notification);
    if ("outcome" in sealed) return sealed.outcome;
    const headers = { ...sealed.headers, Authorization: authorizationFor(url.origin) };
    try {
      const { answer, text } = await post({ url, headers, body: sealed.body, signal });
      heard(readAnswer(answer));
      return readAnswer(answer, await text);
    } catch (error) {
      return readError(error);
    }
  }

  return {
    async send(notification) {
      const { endpoint, payload } = notification;
      const url = URL.parse(endpoint);
      if (url?.protocol !== "https:") return { is: "gone", reason: "the endpoint is no https address" };
      if (endpoint.startsWith(ended)) return { is: "gone", reason: "the push service of this endpoint has ended" };
      const bytes = Buffer.byteLength(payload);
      if (bytes > payloadBytesMax)
        return { is: "refused", reason: `the payload has ${bytes} bytes, more than ${payloadBytesMax}` };
      let byStatus: Outcome | undefined;
      const heard = (outcome: Outcome) => {
        byStatus = outcome;
      };
      return attempts.run({
        key: url.origin,
        work: (signal) => work({ notification, url }, heard, signal),
        late: () => byStatus ?? unanswered(deadlineMs),
      });
    },
    async close() {
      await attempts.close();
      close();
    },
  };
}

/** Encrypts; what cannot be encrypted for this subscription never will be. */
function seal(notification: WebPushNotification): { headers: Headers; body: Buffer } | { outcome: Outcome } {
  const { endpoint, keys, payload, ttl, urgency, topic } = notification;
  const options = { TTL: ttl, urgency, ...(topic !== undefined && { topic }), contentEncoding: "aes128gcm" as const };
  try {
    const { headers, body } = webPush.generateRequestDetails({ endpoint, keys }, payload, options);
    return { headers, body };
  } catch (error) {
    const reason = reasonOf(error);
    const isKey = /p256dh|auth|public key|ECDH/i.test(`${reason} ${(error as { code?: string }).code}`);
    return { outcome: { is: isKey ? "gone" : "refused", reason } };
  }
}
