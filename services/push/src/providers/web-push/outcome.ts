// What a push service said, in words of our own: RFC 8030, RFC 8292, and what Mozilla, Google, Apple and Microsoft add.
// Who registers names the push service, so no answer of one may say anything about others: none is `misconfigured`.
import { isUnreachable, reasonOf, retryAfterMs } from "../attempts.ts";
import type { Outcome } from "../outgoing.ts";

export interface Answer {
  status: number;
  retryAfter: string | undefined;
  location: string | undefined;
}

/** Nobody was asked: the endpoint leads where nothing may be sent to, or nowhere. */
export class EndpointError extends Error {
  readonly why: "forbidden" | "unknown";
  constructor(why: "forbidden" | "unknown") {
    super(
      why === "forbidden"
        ? "the endpoint is not public, and PUSH_WEB_ALLOW does not name it"
        : "the endpoint has no address",
    );
    this.name = "EndpointError";
    this.why = why;
  }
}

const vapid =
  "the push service does not take our VAPID key: the key with which apps subscribe must be the one of this installation";
/** Microsoft's word for a channel that is sent too much [Windows Push Notification Services]. */
const throttled = [406, 429];
const throttledMs = 60_000;

/** `text`: the beginning of its body, if that is known yet. */
export function readAnswer({ status, retryAfter, location }: Answer, text = ""): Outcome {
  const said = reasonOf(`${status} ${text}`);
  if (status >= 200 && status < 300) return { is: "sent", ...(location !== undefined && { id: reasonOf(location) }) };
  if (status === 404 || status === 410) return { is: "gone", reason: said };
  // Apple's word for a subscription that was made with another key.
  if (status === 400 && text.includes("VapidPkHashMismatch")) return { is: "gone", reason: said };
  if (status === 401 || status === 403) return { is: "refused", reason: `${vapid} (${said})` };
  if (throttled.includes(status) || status >= 500) {
    const afterMs = retryAfterMs(retryAfter) ?? (status >= 500 ? undefined : throttledMs);
    return { is: "later", reason: said, ...(afterMs !== undefined && { afterMs }) };
  }
  return { is: "refused", reason: status >= 300 && status < 400 ? `${status}: redirects are not followed` : said };
}

export function readError(thrown: unknown): Outcome {
  const { code = "" } = thrown as { code?: string };
  const reason = reasonOf(thrown);
  if (thrown instanceof EndpointError) return { is: thrown.why === "forbidden" ? "refused" : "later", reason };
  // Of TLS that failed nothing was taken either.
  const isTls = /CERT|SSL|TLS|SELF_SIGNED|UNABLE_TO/.test(code);
  return { is: isTls || isUnreachable(`${code} ${reason}`) ? "later" : "unknown", reason: reason || code };
}
