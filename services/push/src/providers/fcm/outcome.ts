// What FCM said, or what its library made of it, in words of our own. The library's codes say too little: the same one is
// given for a token that is gone and for a wrong project, so the answer itself is read ("ErrorCode" of FCM's HTTP v1 API).
import { isCertificateError, isUnreachable, reasonOf, retryAfterMs } from "../attempts.ts";
import type { Outcome } from "../outgoing.ts";

/** `token`: FCM does not take the access token that Google gave us. */
export interface FcmVerdict {
  outcome: Outcome;
  refusedAccess?: true;
}

interface FirebaseError {
  code?: string;
  message?: string;
  cause?: unknown;
  httpResponse?: { status: number; headers?: Record<string, string | string[] | undefined>; data?: unknown };
}

interface FcmBody {
  error?: { status?: string; message?: string; details?: { [key: string]: unknown }[] };
}

const account = "PUSH_FCM_SERVICE_ACCOUNT_FILE";
const throttledMs = 60_000;
const causesMax = 5;

export function readError(thrown: unknown): FcmVerdict {
  const { httpResponse, code = "" } = thrown as FirebaseError;
  if (httpResponse) return readAnswer(httpResponse);
  const text = chainOf(thrown);
  const reason = reasonOf(text);
  if (isCertificateError(text)) return { outcome: noTls(text) };
  if (isUnreachable(text)) return { outcome: { is: "later", reason } };
  if (code.startsWith("messaging/invalid-") || code === "messaging/payload-size-limit-exceeded")
    return { outcome: { is: "refused", reason } };
  return { outcome: { is: "unknown", reason } };
}

/** What Google's token endpoint said, or that it said nothing: no notification has been sent. */
export function readAccessError(thrown: unknown): Outcome {
  const text = chainOf(thrown);
  if (isCertificateError(text)) return noTls(text);
  // Its words for a key that is revoked, a clock that is wrong, an account that is gone.
  const [refusal] = /invalid_(grant|client|scope)|unauthorized_client|account_\w+/.exec(text) ?? [];
  if (refusal === undefined) return { is: "later", reason: reasonOf(`Google gives us no access now: ${text}`) };
  const why = `Google gives us no access: ${account} must be a key of the project that has not been revoked, and the clock right`;
  return { is: "misconfigured", reason: `${why} (${refusal})` };
}

function noTls(text: string): Outcome {
  const why = "no TLS with FCM or Google: PUSH_FCM_URL and PUSH_FCM_CA_FILE must fit it";
  return { is: "misconfigured", reason: `${why} (${reasonOf(text)})` };
}

function readAnswer({ status, headers = {}, data }: NonNullable<FirebaseError["httpResponse"]>): FcmVerdict {
  const { error } = (typeof data === "object" && data !== null ? data : {}) as FcmBody;
  const find = (name: string) => error?.details?.find((one) => String(one["@type"]).endsWith(name));
  const fcm = find("FcmError")?.errorCode as string | undefined;
  const violations = find("BadRequest")?.fieldViolations as { field?: string }[] | undefined;
  const name = reasonOf(fcm ?? error?.status ?? `FCM answered ${status} without a reason`);
  if (status === 401 && fcm === undefined) {
    const why = `FCM does not take what Google gave us: ${account} must be an account that may send through its project`;
    return { outcome: { is: "misconfigured", reason: `${why} (${name})` }, refusedAccess: true };
  }
  if (status === 429 || status >= 500) {
    const afterMs = retryAfterMs(headers["retry-after"]) ?? (status === 429 ? throttledMs : undefined);
    return { outcome: { is: "later", reason: name, ...(afterMs !== undefined && { afterMs }) } };
  }
  if (status < 400)
    return { outcome: { is: "unknown", reason: `FCM answered ${status} and nothing that can be read` } };
  return { outcome: readRefusal(status, { fcm, name, fields: violations?.map(({ field = "" }) => field) }) };
}

function readRefusal(
  status: number,
  { fcm, name, fields }: { fcm: string | undefined; name: string; fields: string[] | undefined },
): Outcome {
  if (fcm === "UNREGISTERED" || fcm === "SENDER_ID_MISMATCH") return { is: "gone", reason: name };
  // It says nothing about Android's devices.
  if (fcm === "THIRD_PARTY_AUTH_ERROR" || fcm === "APNS_AUTH_ERROR") {
    const why = "FCM cannot send to Apple's devices: the APNs key in the Firebase console is missing or wrong";
    return { is: "refused", reason: `${why} (${name})` };
  }
  if (status === 400 && fields?.some((field) => field === "message.token")) return { is: "gone", reason: name };
  if (status === 400 && fcm === "INVALID_ARGUMENT" && fields === undefined) return { is: "gone", reason: name };
  if (status === 403 || status === 404) {
    const why = `FCM does not know our project, or does not let us send: ${account} must be of the project of the app`;
    return { is: "misconfigured", reason: `${why} (${name})` };
  }
  return { is: "refused", reason: fields ? reasonOf(`${name}: ${fields.join(", ")}`) : name };
}

/** An error, and what it says was its cause, and so on. */
function chainOf(thrown: unknown, depth = 0): string {
  const { code, message, cause } = (thrown ?? {}) as FirebaseError;
  const text = [code, message].filter(Boolean).join(" ") || String(thrown);
  return cause === undefined || depth >= causesMax ? text : `${text}: ${chainOf(cause, depth + 1)}`;
}
