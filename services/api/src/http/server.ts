// The HTTP server: JSON in and out, errors of one shape, headers, CORS, the routes, the page of documentation.
import type { Server } from "node:http";
import type { Duplex } from "node:stream";
import cors from "@fastify/cors";
import { AppError, decodeObject, limits } from "@parley/protocol";
import { addressKey, gauge, histogram, type Networks, type Registry } from "@parley/runtime";
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { addDocs } from "./docs.ts";
import { rawRefusal, readHttpError, sendError } from "./errors.ts";
import { rawBodies } from "./raw-bodies.ts";
import { addRoutes, type RouteParts, verbsOf } from "./routes.ts";
import { openShares } from "./shares.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** the body is read as it comes, for as long as the route says */
    streams?: boolean;
  }
}

const headersTimeoutMs = 30_000;
const lingerMs = 1_000;
const bodyLimits = { bytes: limits.requestBytes, depth: limits.packetDepth, nodes: 20_000 };

export interface ServerOptions extends RouteParts {
  metrics: Registry;
  /** origins whose pages may call; `*` for all, empty for none but our own */
  corsOrigins: string;
  trustedProxies: Networks;
  /** how long the body of a request may take, but on routes that stream (ms) */
  bodyTimeoutMs: number;
  /** requests in hand at once; the next is `unavailable` */
  requestsMax: number;
  /** open connections, WebSockets included; the next is closed */
  connectionsMax: number;
}

/** Ready to listen. */
export async function createServer(options: ServerOptions): Promise<FastifyInstance> {
  const { log, trustedProxies } = options;
  const fail = (error: unknown, request: FastifyRequest, reply: FastifyReply) => {
    const read = readHttpError(error, bodyLimits.bytes);
    if (read.error.code === "internal")
      log.error({ event: "http_failed", method: request.method, route: request.routeOptions?.url, err: error });
    return sendError(reply, read.error, read.status);
  };
  const server = Fastify({
    logger: false,
    trustProxy: (address: string) => trustedProxies.includes(address),
    bodyLimit: bodyLimits.bytes,
    // Of bodies: see boundBodies. An upload may take hours.
    requestTimeout: 0,
    forceCloseConnections: "idle",
    return503OnClosing: true,
    routerOptions: { maxParamLength: 512, ignoreTrailingSlash: true },
    frameworkErrors: fail,
    clientErrorHandler(error, socket) {
      if (socket.writable) endWith(socket, rawRefusal((error as { code?: string }).code));
      else socket.destroy();
    },
  });
  server.server.headersTimeout = headersTimeoutMs;
  server.server.maxConnections = options.connectionsMax;
  shareConnections(server.server, options);
  server.setErrorHandler(fail);
  server.setNotFoundHandler(notFound);
  readJsonStrictly(server);
  addHeaders(server);
  boundRequests(server, options);
  boundBodies(server, options.bodyTimeoutMs);
  measure(server, options.metrics);
  if (options.corsOrigins !== "") await addCors(server, options.corsOrigins);
  await addDocs(server);
  server.get("/", (_request, reply) => reply.redirect("/docs/"));
  addRoutes(server, options);
  return server;
}

function readJsonStrictly(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser("application/json", { parseAs: "buffer" }, async (_request: unknown, bytes: Buffer) => {
    if (bytes.length === 0) return undefined;
    const body = decodeObject(bytes, bodyLimits);
    if (body instanceof AppError) throw new AppError(body.code, body.message.replace("the packet", "the body"));
    rawBodies.set(body, bytes);
    return body;
  });
}

function notFound(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const path = request.url.split("?", 1)[0] ?? "";
  const verbs = verbsOf(path);
  if (verbs.length === 0) return sendError(reply, new AppError("not_found", "no such path; /docs lists all"));
  reply.header("allow", verbs.join(", "));
  return sendError(
    reply,
    new AppError("invalid_packet", `${request.method} is not for this path: ${verbs.join(", ")}`),
    405,
  );
}

function addHeaders(server: FastifyInstance): void {
  let closing = false;
  server.addHook("preClose", async () => {
    closing = true;
  });
  // A connection busy at close would else be kept alive after its answer, and close would wait for it.
  server.addHook("onSend", async (_request, reply) => {
    if (closing) reply.header("connection", "close");
  });
  server.addHook("onRequest", async (_request, reply) => {
    reply.headers({
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      "referrer-policy": "no-referrer",
      "cross-origin-opener-policy": "same-origin",
    });
  });
}

// Each may hold a body of half a megabyte and wait ten seconds for its answer. One address has half of them at most.
function boundRequests(server: FastifyInstance, { requestsMax, metrics, addressOf }: ServerOptions): void {
  const shares = openShares(requestsMax);
  server.addHook("onRequest", async (request, reply) => {
    const release = shares.take(addressKey(addressOf(request.raw)));
    if (release === undefined) {
      reply.header("connection", "close");
      return sendError(reply, new AppError("unavailable", "too many requests at once; send it again"));
    }
    reply.raw.once("close", release);
  });
  gauge(metrics, "http_requests_in_hand", "requests that are not answered yet", shares.taken);
}

function boundBodies(server: FastifyInstance, bodyTimeoutMs: number): void {
  server.addHook("onRequest", async (request) => {
    const { headers, raw, routeOptions } = request;
    const hasBody = headers["content-length"] !== undefined || headers["transfer-encoding"] !== undefined;
    if (!hasBody || routeOptions.config.streams) return;
    const timer = setTimeout(() => endWith(raw.socket, rawRefusal("ERR_HTTP_REQUEST_TIMEOUT")), bodyTimeoutMs);
    raw.once("end", () => clearTimeout(timer));
    raw.once("close", () => clearTimeout(timer));
  });
}

/** A client that keeps its own side open after the last word would hold its place for ever. */
function endWith(socket: Duplex, text: string): void {
  socket.end(text);
  setTimeout(() => socket.destroy(), lingerMs).unref();
}

/** One address has half of the connections at most; those of a trusted proxy are many people's. */
function shareConnections(server: Server, { connectionsMax, trustedProxies }: ServerOptions): void {
  const shares = openShares(connectionsMax);
  server.on("connection", (socket) => {
    const address = socket.remoteAddress ?? "";
    if (trustedProxies.includes(address)) return;
    const release = shares.take(addressKey(address));
    if (release === undefined) socket.destroy();
    else socket.once("close", release);
  });
}

function measure(server: FastifyInstance, metrics: Registry): void {
  const labelNames = ["verb", "route", "status"] as const;
  const seconds = histogram(metrics, "http_request_seconds", "time from a request to its answer", { labelNames });
  server.addHook("onResponse", async (request, reply) => {
    const route = request.routeOptions.url ?? "unknown";
    seconds.observe({ verb: request.method, route, status: reply.statusCode }, reply.elapsedTime / 1000);
  });
}

async function addCors(server: FastifyInstance, origins: string): Promise<void> {
  await server.register(cors, {
    origin: origins === "*" ? "*" : origins.split(","),
    methods: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
    allowedHeaders: [
      ...["authorization", "content-type", "idempotency-key", "range", "if-range", "if-none-match"],
      ...["tus-resumable", "upload-length", "upload-offset", "upload-metadata", "upload-checksum"],
      "x-http-method-override",
    ],
    exposedHeaders: [
      ...["location", "content-location", "content-range", "content-disposition", "etag", "retry-after"],
      ...["tus-resumable", "upload-length", "upload-offset", "upload-metadata", "upload-expires"],
    ],
    maxAge: 600,
  });
}
