// A device registers a token: one write says whose it is, whoever else registers it at the same time.
import { AppError } from "@parley/protocol";
import type { Pass } from "@parley/runtime";
import { type FoundToken, type KeptTokens, tokensFor, tokensOf } from "./kept.ts";
import type { Revoked } from "./revoked.ts";
import { keyOf, type Registration, type TokenDoc } from "./token.ts";

/** Whose device it is, and with what it is logged in. */
export type RegisteringDevice = Pick<TokenDoc, "uid" | "owner" | "clientId" | "credential">;

interface Parts {
  kept: KeptTokens;
  revoked: Pick<Revoked, "isRevoked">;
  changed(uids: readonly string[]): void;
  /** marks a point where a test can end the process */
  pass: Pass;
}

const tokensOfDevice = 10;
const tokensOfUser = 100;
const attemptsMax = 50;

/** Answers the token's key. */
export async function registerToken(
  parts: Parts,
  device: RegisteringDevice,
  registration: Registration,
): Promise<string | AppError> {
  const { kept, revoked, changed, pass } = parts;
  if (revoked.isRevoked(device)) return ended();
  const key = keyOf(registration);
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const [before, ofDevice, ofUser] = await Promise.all([
      kept.get(key),
      tokensOf(kept, device.uid, device.clientId),
      tokensFor(kept, device.uid),
    ]);
    const { earlier, refused } = placeIn(device, registration, { key, ofDevice, ofUser });
    if (refused) return refused;
    const registeredAt = Math.max(Date.now(), ...[...earlier, ...ofDevice].map((one) => one.registeredAt + 1));
    const doc: TokenDoc = { ...device, ...registration, registeredAt };
    pass("before-token");
    if (!(await (before ? kept.update(key, doc, before.version) : kept.insert(key, doc)))) continue;
    pass("before-earlier-token");
    for (const one of earlier) await kept.remove(one.key, one.version);
    pass("before-token-told");
    changed(before && before.doc.uid !== device.uid ? [device.uid, before.doc.uid] : [device.uid]);
    // Who is logged out meanwhile may not have been seen by whoever looked for its tokens.
    if (!revoked.isRevoked(device)) return key;
    const written = await kept.get(key);
    if (written?.doc.registeredAt === registeredAt && (await kept.remove(key, written.version))) changed([device.uid]);
    return ended();
  }
  return new AppError("conflict", "the token was registered again and again at the same time; try again");
}

/** Which tokens it takes the place of, or why there is none. */
function placeIn(
  { uid, clientId }: RegisteringDevice,
  { kind, appId }: Registration,
  { key, ofDevice, ofUser }: { key: string; ofDevice: readonly FoundToken[]; ofUser: readonly FoundToken[] },
): { earlier: FoundToken[]; refused?: AppError } {
  const others = ofDevice.filter((one) => one.uid === uid && one.key !== key);
  const earlier = others.filter((one) => one.kind === kind && one.appId === appId);
  const isFull = (tokens: readonly FoundToken[], most: number) =>
    tokens.filter((one) => one.key !== key && !earlier.some((late) => late.key === one.key)).length >= most;
  if (isFull(others, tokensOfDevice))
    return { earlier, refused: new AppError("conflict", `${clientId} has ${tokensOfDevice} tokens; remove one first`) };
  if (isFull(ofUser, tokensOfUser))
    return { earlier, refused: new AppError("conflict", `${uid} has ${tokensOfUser} tokens; remove one first`) };
  return { earlier };
}

function ended(): AppError {
  return new AppError("unauthenticated", "the device is logged out");
}
