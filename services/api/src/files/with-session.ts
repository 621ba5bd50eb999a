// What goes on for long ends with the session that asked for it.
import type { FastifyReply, FastifyRequest } from "fastify";
import { type IdentityParts, revocationOf } from "../http/identity.ts";

/** How often it is looked whether the session was ended (ms). */
const everyMs = 500;

/** Cuts the connection once the session of the request is ended. Answers how to ask whether it is. */
export async function endWithSession(
  identity: IdentityParts,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<() => boolean> {
  const isRevoked = await revocationOf(identity, request.headers.authorization);
  const watching = setInterval(() => isRevoked() && reply.raw.destroy(), everyMs);
  if (reply.raw.destroyed) clearInterval(watching);
  else reply.raw.once("close", () => clearInterval(watching));
  return isRevoked;
}
