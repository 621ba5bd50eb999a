// Every method of the table as an HTTP route made from its definition.
import type { IncomingMessage } from "node:http";
import {
  AppError,
  attachmentRoutes,
  type Caller,
  exportRoutes,
  type JsonObject,
  type Method,
  methods,
  spellingsOf,
  uploadRoutes,
} from "@parley/protocol";
import type { Logger, NatsConnection, Once } from "@parley/runtime";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { TObject, TSchema } from "typebox";
import type { Bound } from "../call.ts";
import { perform } from "../requests.ts";
import { sendError } from "./errors.ts";
import { forward } from "./forward.ts";
import { type Called, type IdentityParts, identify } from "./identity.ts";
import { readParams } from "./params.ts";
import type { Rates } from "./rates.ts";
import { rawBodies } from "./raw-bodies.ts";

export interface RouteParts {
  identity: IdentityParts;
  nats: NatsConnection;
  log: Logger;
  /** api's own methods */
  bound: readonly Bound[];
  once: Once;
  rates: Rates;
  /** the caller's own, also behind a trusted proxy */
  addressOf(request: IncomingMessage): string;
  /** MQTT over WebSocket for login: an address, or undefined for `/mqtt` of the server that was asked */
  publicWs: string | undefined;
}

export function addRoutes(server: FastifyInstance, parts: RouteParts): void {
  const own = new Map(parts.bound.map((bound) => [bound.method.name, bound]));
  for (const method of methods.values()) {
    const bound = own.get(method.name);
    if (!bound && method.owner === "api") throw new Error(`nobody works ${method.name}`);
    for (const path of spellingsOf(method.http.path))
      server.route({
        method: method.http.verb,
        url: path.replaceAll(/\{(\w+)\}/g, ":$1"),
        handler: (request, reply) => serve(parts, method, bound, request, reply),
      });
  }
}

/** The verbs that the path of an unknown route would take. */
export function verbsOf(path: string): string[] {
  const routes: { verb: string; path: string }[] = [
    ...[...methods.values()].flatMap(({ http: { verb, path } }) =>
      spellingsOf(path).map((spelled) => ({ verb, path: spelled })),
    ),
    ...attachmentRoutes,
    ...uploadRoutes,
    ...exportRoutes,
  ];
  const verbs = routes
    .filter((route) => new RegExp(`^${route.path.replaceAll(/\{\w+\}/g, "[^/]+")}/?$`).test(path))
    .map(({ verb }) => verb);
  return [...new Set(verbs)];
}

async function serve(
  parts: RouteParts,
  method: Method<TObject, TSchema>,
  bound: Bound | undefined,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const address = parts.addressOf(request.raw);
  const identified = await admit(parts, method, request);
  if (identified instanceof AppError) return sendError(reply, identified);
  const requestId = readIdempotencyKey(request.headers["idempotency-key"]);
  if (requestId instanceof AppError) return sendError(reply, requestId);
  const params = readParams(method, {
    path: request.params as Record<string, string>,
    query: request.query as Record<string, string | string[]>,
    body: request.body as JsonObject | undefined,
  });
  if (params instanceof AppError) return sendError(reply, params);
  const caller: Caller = { ...identified, ...(requestId === undefined ? {} : { requestId }) };
  reply.header("cache-control", "no-store").type("application/json; charset=utf-8");
  if (!bound) return reply.send(await forward(parts.nats, method, caller, params));
  const ws = parts.publicWs ?? webSocketOf(request);
  const result = await perform(parts.once, bound, params, {
    caller,
    address,
    ws,
    raw: rawBodies.get(request.body ?? {}),
  });
  return result instanceof AppError ? sendError(reply, result) : reply.send(result ?? {});
}

/** The caller, if it may call and does not call too often. */
export async function admit(
  { identity, rates, addressOf }: Pick<RouteParts, "identity" | "rates" | "addressOf">,
  called: Called,
  request: FastifyRequest,
): Promise<Caller | AppError> {
  const identified = await identify(identity, called, request.headers.authorization);
  const isRefused = identified instanceof AppError;
  const isStranger = isRefused ? identified.code === "unauthenticated" : called.access === "public";
  if (isStranger) return rates.refuseStranger(addressOf(request.raw)) ?? identified;
  return isRefused ? identified : (rates.refuseCaller(identified) ?? identified);
}

function readIdempotencyKey(header: string | string[] | undefined): string | undefined | AppError {
  if (header === undefined) return undefined;
  if (typeof header === "string" && /^[\x21-\x7e]{1,128}$/.test(header)) return header;
  return new AppError("invalid_packet", "Idempotency-Key is 1 to 128 visible characters, given once");
}

function webSocketOf(request: FastifyRequest): string {
  const scheme = request.protocol === "https" ? "wss" : "ws";
  const host = /^[0-9A-Za-z.\-:[\]]{1,255}$/.test(request.host ?? "") ? request.host : "127.0.0.1";
  return `${scheme}://${host}/mqtt`;
}
