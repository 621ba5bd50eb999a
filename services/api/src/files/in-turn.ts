// What every request about files goes through: who calls, a place among those at once, refusals that their sender sees.
import { setTimeout as sleep } from "node:timers/promises";
import { AppError, type Caller } from "@parley/protocol";
import type { FastifyReply, FastifyRequest } from "fastify";
import { readHttpError, sendError } from "../http/errors.ts";
import { admit, type RouteParts } from "../http/routes.ts";
import type { Shares } from "../http/shares.ts";
import type { FileParts } from "./parts.ts";
import { endWithSession } from "./with-session.ts";

/** A refused upload is read on for so long, so that its sender sees the refusal. */
const lingerMs = 1_000;

export type FileRouteParts = FileParts & Pick<RouteParts, "identity" | "rates" | "addressOf">;

export interface Turn {
  name: string;
  /** whose places the request takes one of; absent: it needs none */
  shares?: Shares;
  /** who asks, where the request shows that without a session; absent: by its token */
  admit?(request: FastifyRequest): AppError | Caller;
  /** `isRevoked`: the caller's session was ended meanwhile; its connection is cut within half a second. */
  work(request: FastifyRequest, reply: FastifyReply, caller: Caller, isRevoked: () => boolean): Promise<FastifyReply>;
}

export async function inTurn(
  parts: FileRouteParts,
  turn: Turn,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { name, shares, work } = turn;
  const caller = turn.admit?.(request) ?? (await admit(parts, { name, access: "user" }, request));
  const release = caller instanceof AppError ? undefined : (shares?.take(caller.uid) ?? (shares ? undefined : free));
  // Who has gone already is not told of again.
  const isGone = new Promise<void>((resolve) => {
    if (reply.raw.destroyed) resolve();
    else reply.raw.once("close", resolve);
  });
  try {
    if (caller instanceof AppError) throw caller;
    if (!release) throw new AppError("rate_limited", "too many at once; wait until one has ended");
    const isRevoked = turn.admit ? () => false : await endWithSession(parts.identity, request, reply);
    return await work(request, reply, caller, isRevoked);
  } catch (error) {
    return await refuse(parts, request, reply, error);
  } finally {
    // What was begun goes on when who asked for it has gone, and what is sent when it was begun.
    if (release) void isGone.then(release);
  }
}

const free = () => undefined;

// A connection with bytes that nobody reads is reset, and its sender may not see why.
async function refuse({ limits, log }: FileRouteParts, request: FastifyRequest, reply: FastifyReply, thrown: unknown) {
  const { error, status } = readHttpError(thrown, limits.bytesMax);
  const isCut = request.raw.destroyed && !request.raw.complete;
  if (error.code === "internal" && !isCut)
    log.error({ event: "http_failed", method: request.method, route: request.routeOptions.url, err: thrown });
  if (!request.raw.complete) {
    reply.header("connection", "close");
    request.raw.resume();
    const ended = new Promise<void>((resolve) => void request.raw.once("end", resolve).once("close", resolve));
    await Promise.race([ended, sleep(lingerMs, undefined, { ref: false })]);
  }
  for (const name of ["content-length", "etag", "content-disposition", "cache-control"]) reply.removeHeader(name);
  return sendError(reply.type("application/json; charset=utf-8"), error, status ?? statusOf(reply));
}

// What the route has set, where HTTP or tus have a status of their own for it.
function statusOf({ statusCode }: FastifyReply): number | undefined {
  return statusCode >= 400 ? statusCode : undefined;
}
