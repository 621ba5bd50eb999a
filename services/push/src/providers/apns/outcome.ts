// What APNs said, or what its library made of it, in words of our own. Statuses and reasons as in Apple's "Handling
// notification responses from APNs"; what the library says of anything else was seen with @parse/node-apn 8.1.0.
import type { ResponseFailure, ResponseSent, Responses } from "apn";
import { isCertificateError, reasonOf } from "../attempts.ts";
import type { Outcome } from "../outgoing.ts";

export type ApnsResult = Responses<ResponseSent, ResponseFailure>;

/** `answered`: APNs said so itself; otherwise the connection may be the trouble. */
export interface ApnsVerdict {
  outcome: Outcome;
  answered: boolean;
}

const key = "PUSH_APNS_KEY_FILE, PUSH_APNS_KEY_ID and PUSH_APNS_TEAM_ID";
const environment = "it must be good for production and for sandbox, where tokens of both are registered";
const misconfigured: Record<string, string> = {
  InvalidProviderToken: `APNs refuses our key: ${key} must be those of one key that has not been revoked`,
  MissingProviderToken: `APNs was shown neither a signed token nor a certificate: set ${key}, or PUSH_APNS_CERTIFICATE_FILE`,
  ExpiredProviderToken: "APNs says that a token we have just signed has expired: the clock of this machine is wrong",
  UnrelatedKeyIdInToken: `APNs knows no such key of this team: ${key} must be those of one key`,
  BadEnvironmentKeyIdInToken: `APNs refuses our key for this environment: ${environment}`,
  BadCertificate: "APNs refuses our certificate: PUSH_APNS_CERTIFICATE_FILE must be one of Apple's for this app",
  BadCertificateEnvironment: `APNs refuses our certificate for this environment: ${environment}`,
  Forbidden: `APNs lets us do nothing: look after the key or certificate in Apple's developer account (${key})`,
};
/** Tokens that will never do again. */
const gone = ["BadDeviceToken", "DeviceTokenNotForTopic", "Unregistered", "ExpiredToken"];
const tooManyRequestsMs = 20_000;
/** Apple takes a new signed token once in 20 minutes. */
const signedTokenMs = 20 * 60_000;

export function readResult({ sent, failed }: ApnsResult): ApnsVerdict {
  const [failure] = failed;
  if (failure) return readFailure(failure);
  const { "apns-id": id } = (sent[0] ?? {}) as { "apns-id"?: string };
  return { outcome: { is: "sent", ...(id !== undefined && { id }) }, answered: true };
}

function readFailure(failure: ResponseFailure): ApnsVerdict {
  const { status, response, error } = failure;
  const text = reasonOf(error ?? (failure as { code?: string }).code ?? response ?? "no reason");
  if (typeof status === "number") {
    const reason = response?.reason ?? (text === "ExpiredProviderToken" ? text : undefined);
    const since = response?.timestamp === undefined ? undefined : Number(response.timestamp);
    return { outcome: readStatus(status, reason, since), answered: true };
  }
  const empty = / with status (\d+) and empty body/.exec(text)?.[1];
  if (empty !== undefined) return { outcome: readStatus(Number(empty), undefined, undefined), answered: true };
  return { outcome: readError(text), answered: false };
}

function readStatus(status: number, name: string | undefined, since: number | undefined): Outcome {
  const reason = name === undefined ? `APNs answered ${status} without a reason` : reasonOf(name);
  if (gone.includes(reason)) return { is: "gone", reason, ...(since && { since }) };
  if (reason === "TooManyProviderTokenUpdates") {
    const why = "APNs has seen too many signed tokens of this key: other senders use it as well";
    return { is: "misconfigured", reason: `${why} (${reason})`, pauseMs: signedTokenMs };
  }
  if (reason === "IdleTimeout") return { is: "again", reason };
  if (status === 429) return { is: "later", reason, afterMs: tooManyRequestsMs };
  if (status >= 500) return { is: "later", reason };
  if (status === 403) {
    const why = misconfigured[reason] ?? `APNs lets us do nothing: look after ${key} in Apple's developer account`;
    return { is: "misconfigured", reason: `${why} (${reason})` };
  }
  if (reason === "TopicDisallowed")
    return { is: "refused", reason: `${reason}: our key or certificate is not for this app` };
  return { is: "refused", reason };
}

function readError(text: string): Outcome {
  if (isCertificateError(text)) {
    const why = "no TLS with APNs: PUSH_APNS_URL, PUSH_APNS_CA_FILE and PUSH_APNS_CERTIFICATE_FILE must fit it";
    return { is: "misconfigured", reason: `${why} (${text})` };
  }
  // The server has told that it has not looked at it [RFC 9113 8.7], or no server was ever asked.
  if (/REFUSED_STREAM|GOAWAY_SESSION|INVALID_SESSION/.test(text)) return { is: "again", reason: text };
  if (/pending stream has been canceled|client is destroyed/.test(text)) return { is: "later", reason: text };
  return { is: "unknown", reason: text };
}
