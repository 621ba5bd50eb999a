// Invite links: a secret that is shown once, of which the log keeps the hash; whom it lets in is decided there.
import { createHmac, hash } from "node:crypto";
import { AppError, type ParamsOf, type ResultOf, type RoomLink, type roomsMakeLink } from "@parley/protocol";
import type { Call } from "../call.ts";
import { randomName } from "../random-name.ts";
import { askHistory } from "./ask.ts";
import type { RoomParts } from "./room.ts";

const idLength = 12;

/** Made from the operation by the signing key: worked again, a request answers the same link, and it is kept nowhere. */
export async function makeLink(
  parts: RoomParts,
  { id: roomId, seconds, uses }: ParamsOf<typeof roomsMakeLink>,
  call: Call,
): Promise<ResultOf<typeof roomsMakeLink> | AppError> {
  const secret = createHmac("sha256", parts.signingKey)
    .update(`room link ${roomId} ${call.operation}`)
    .digest("base64url");
  const now = Date.now();
  const link: RoomLink = {
    id: randomName(idLength, secret),
    hash: hashOfLink(secret),
    createdBy: call.caller.uid,
    createdAt: now,
    ...(seconds === undefined ? {} : { expiresAt: now + seconds * 1_000 }),
    ...(uses === undefined ? {} : { uses }),
  };
  const reply = await askHistory(parts, roomId, call, { event: { event: "link", uids: [] }, link });
  if (reply instanceof AppError) return reply;
  const { hash: _, ...shown } = link;
  return { ...shown, link: secret };
}

export async function removeLink(
  parts: RoomParts,
  { id, link }: { id: string; link: string },
  call: Call,
): Promise<{ seq: number } | AppError> {
  const ended: RoomLink = { id: link, hash: "", createdBy: call.caller.uid, createdAt: 0 };
  const reply = await askHistory(parts, id, call, { event: { event: "unlink", uids: [] }, link: ended });
  return reply instanceof AppError ? reply : { seq: reply.seq };
}

export function hashOfLink(secret: string): string {
  return hash("sha256", secret);
}
