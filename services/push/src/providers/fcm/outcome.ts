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

export function readError(thrown: unknown): FcmVerdict {
  const { httpResponse, code = "" } = thrown as FirebaseError;
  if (httpResponse) return readAnswer(httpResponse);
  const text = reasonOf([thrown, ...causesOf(thrown)].map(textOf).join(": "));
  if (isCertificateError(text)) {
    const why = "no TLS with FCM or Google: PUSH_FCM_URL and PUSH_FCM_CA_FILE must fit it";
    return { outcome: { is: "misconfigured", reason: `${why} (${text})` } };
  }
  if (code === "app/invalid-credential") return { outcome: readOauth(thrown as FirebaseError, text) };
  if (isUnreachable(text)) return { outcome: { is: "later", reason: text } };
  if (code.startsWith("messaging/invalid-") || code === "messaging/payload-size-limit-exceeded")
    return { outcome: { is: "refused", reason: text } };
  return { outcome: { is: "unknown", reason: text } };
}

// Google's word for a key that is revoked, a clock that is wrong, an account that is gone.
function readOauth({ message = "" }: FirebaseError, text: string): Outcome {
  if (!/invalid_(grant|client|scope)|unauthorized_client|account_/.test(message)) return { is: "later", reason: text };
  const why = `Google gives us no access: ${account} must be a key of the project that has not been revoked, and the clock right`;
  return { is: "misconfigured", reason: `${why} (${googleError(message)})` };
}

function googleError(message: string): string {
  return /(invalid_\w+|unauthorized_client|account_\w+)/.exec(message)?.[0] ?? "refused";
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
  if (fcm === "THIRD_PARTY_AUTH_ERROR" || fcm === "APNS_AUTH_ERROR") {
    const why = "FCM cannot send to Apple's devices: the APNs key in the Firebase console is missing or wrong";
    return { is: "misconfigured", reason: `${why} (${name})` };
  }
  if (status === 400 && fields?.some((field) => field === "message.token")) return { is: "gone", reason: name };
  if (status === 400 && fcm === "INVALID_ARGUMENT" && fields === undefined) return { is: "gone", reason: name };
  if (status === 403 || status === 404) {
    const why = `FCM does not know our project, or does not let us send: ${account} must be of the project of the app`;
    return { is: "misconfigured", reason: `${why} (${name})` };
  }
  return { is: "refused", reason: fields ? reasonOf(`${name}: ${fields.join(", ")}`) : name };
}

function* causesOf(thrown: unknown): Generator<unknown> {
  for (let cause = (thrown as FirebaseError)?.cause; cause !== undefined; cause = (cause as FirebaseError).cause)
    yield cause;
}

function textOf(thrown: unknown): string {
  const { code, message } = (thrown ?? {}) as FirebaseError;
  return [code, message].filter(Boolean).join(" ") || String(thrown);
}
