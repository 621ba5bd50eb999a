// Grants: parts of an address by which one user's thumbnail can be had for a while without a token, as phones fetch pictures of
// notifications without their app. What the user may not have any more, the address does not give either.
import { createHmac } from "node:crypto";
import { AppError, type Caller, isUid } from "@parley/protocol";
import { secretCheck } from "@parley/runtime";
import type { FastifyRequest } from "fastify";
import type { FileRouteParts } from "./in-turn.ts";

export interface Granted {
  file: string;
  uid: string;
  /** unix s */
  until: number;
}

/** `{until}.{signature}.{uid}` */
export function writeGrant(signingKey: Uint8Array, granted: Granted): string {
  return `${granted.until}.${signatureOf(signingKey, granted)}.${granted.uid}`;
}

/** undefined: it is of another file, changed, or over. `now`: unix ms */
export function readGrant(
  signingKey: Uint8Array,
  { file, grant, now }: { file: string; grant: string; now: number },
): Granted | undefined {
  const [, until = "", signature = "", uid = ""] = /^(\d{1,12})\.([\w-]+)\.(.+)$/.exec(grant) ?? [];
  if (!isUid(uid)) return undefined;
  const granted = { file, uid, until: Number(until) };
  if (!secretCheck(signatureOf(signingKey, granted))(signature)) return undefined;
  return granted.until * 1_000 > now ? granted : undefined;
}

/** Whose grant it is counts as who asks; whoever shows none that is good, as a stranger. */
export function admitByGrant({
  identity,
  rates,
  addressOf,
}: FileRouteParts): (request: FastifyRequest) => Caller | AppError {
  return (request) => {
    const { id: file, grant } = request.params as { id: string; grant: string };
    const granted = readGrant(identity.signingKey, { file, grant, now: Date.now() });
    if (!granted)
      return (
        rates.refuseStranger(addressOf(request.raw)) ??
        new AppError("forbidden", "this address is none that holds, or not any more")
      );
    const caller: Caller = { uid: granted.uid, via: "http" };
    return rates.refuseCaller(caller) ?? caller;
  };
}

function signatureOf(signingKey: Uint8Array, { file, uid, until }: Granted): string {
  return createHmac("sha256", signingKey).update(`thumbnail ${file} ${until} ${uid}`).digest("base64url");
}
