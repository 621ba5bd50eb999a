// For whom, and for which of whose devices, push is asked: a user says so by its token or connection, a server key by its words.
import { AppError, type Caller, noUser } from "@parley/protocol";
import { type Logins, unknownNow } from "./logins.ts";
import type { RegisteringDevice } from "./register.ts";

interface Asked {
  uid?: string | undefined;
  clientId?: string | undefined;
}

/** By so much clocks and hearing of a revocation may differ. */
const doubtSeconds = 5;

export async function askedUser(logins: Logins, { uid }: Asked, caller: Caller): Promise<string | AppError> {
  if (caller.via !== "key")
    return uid === undefined || uid === caller.uid ? caller.uid : new AppError("forbidden", "uid is not the caller");
  if (uid === undefined) return new AppError("invalid_packet", "uid is missing: a server key asks for a user");
  return (await logins.exists(uid).catch(thrown)) ? uid : noUser(uid);
}

/** Its client id alone: what is removed needs no login. */
export async function askedDevice(
  logins: Logins,
  asked: Asked,
  caller: Caller,
): Promise<{ uid: string; clientId: string } | AppError> {
  const uid = await askedUser(logins, asked, caller);
  if (uid instanceof AppError) return uid;
  const own = caller.via === "key" ? undefined : caller.clientId;
  const clientId = asked.clientId ?? own;
  if (clientId === undefined) return new AppError("invalid_packet", "clientId is missing: it says which device it is");
  if (own !== undefined && clientId !== own) return new AppError("forbidden", "clientId is not the device that asks");
  return { uid, clientId };
}

/** A device with what it is logged in with, so that its token goes when that ends. */
export async function registeringDevice(
  logins: Logins,
  asked: Asked,
  caller: Caller,
): Promise<RegisteringDevice | AppError> {
  const device = await askedDevice(logins, asked, caller);
  if (device instanceof AppError) return device;
  const { issuedAt, passwordSince, family } = caller;
  if (caller.via === "http" && issuedAt !== undefined)
    return { ...device, owner: device.uid, credential: { issuedAt, ...known({ passwordSince, family }) } };
  return ofConnection(logins, device, caller.via === "key").catch(thrown);
}

/** `mustBeKnown`: it does not ask by itself, so somebody has to know that it is the user's. */
async function ofConnection(
  logins: Logins,
  device: { uid: string; clientId: string },
  mustBeKnown: boolean,
): Promise<RegisteringDevice | AppError> {
  const { uid, known: isKnown, connection } = await logins.connection(device.clientId);
  // Of one that is not known the uid is what its client id looks like.
  const owner = isKnown ? (uid ?? device.uid) : device.uid;
  if (mustBeKnown && owner !== device.uid) return noDevice();
  const made = { ...device, owner };
  if (connection?.issuedAt !== undefined || connection?.passwordSince !== undefined) {
    const { at, issuedAt = at / 1000, passwordSince, family } = connection;
    return { ...made, credential: { issuedAt, ...known({ passwordSince, family }) } };
  }
  // Presence was not asked about its connection, or it has none.
  const login = (await logins.of(owner)).get(device.clientId);
  if (login) {
    const { issuedAt, families, passwordSince } = login;
    // Of several nobody knows which one it is: a change of password ends what it registers.
    const [family, ...others] = families;
    return { ...made, credential: { issuedAt, ...(others.length === 0 ? known({ passwordSince, family }) : {}) } };
  }
  if (mustBeKnown && !isKnown) return noDevice();
  return { ...made, credential: { issuedAt: (connection?.at ?? Date.now()) / 1000 - doubtSeconds } };
}

function known({ passwordSince, family }: { passwordSince: number | undefined; family: string | undefined }) {
  return { ...(passwordSince === undefined ? {} : { passwordSince }), ...(family === undefined ? {} : { family }) };
}

function noDevice(): AppError {
  return new AppError("not_found", "no such device");
}

function thrown(error: unknown): never {
  throw unknownNow(error);
}
