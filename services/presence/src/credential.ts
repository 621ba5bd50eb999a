// With what login a device's connection was made, for services that keep something of the device until that login ends.
import { AppError, type ConnectionCredential, isAnyClientId, parseTreeUser } from "@parley/protocol";
import type { Devices } from "./devices.ts";
import type { Sessions } from "./sessions/sessions.ts";
import { type LiveTrees, userOf } from "./trees/live.ts";

export interface CredentialParts {
  devices: Pick<Devices, "ownerOf" | "known">;
  live: Pick<LiveTrees, "userOf">;
  sessions: Pick<Sessions, "of">;
}

export async function credentialOf(
  { clientId }: { clientId?: unknown },
  parts: CredentialParts,
): Promise<ConnectionCredential> {
  if (typeof clientId !== "string" || !isAnyClientId(clientId))
    throw new AppError("invalid_packet", "clientId is none of a device");
  const user = await userOf(parts, clientId);
  if (user === undefined) return {};
  const { owner, uid } = parseTreeUser(user);
  // Guests, and nobody: no login of anybody.
  if (owner !== "user") return {};
  const session = await parts.sessions.of(user, clientId);
  if (!session) return { uid, ...((await parts.devices.known(clientId))?.uid === uid ? { known: true } : {}) };
  const { at, issuedAt, passwordSince, family } = session;
  return {
    uid,
    known: true,
    connection: {
      at,
      ...(issuedAt === undefined ? {} : { issuedAt }),
      ...(passwordSince === undefined ? {} : { passwordSince }),
      ...(family === undefined ? {} : { family }),
    },
  };
}
