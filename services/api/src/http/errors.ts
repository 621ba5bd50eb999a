// Errors as HTTP answers them: `{"error":{code,message}}` with the table's status.
import { AppError, type ErrorCode, errorTable } from "@parley/protocol";
import type { FastifyReply } from "fastify";
import { errorOf } from "../store.ts";

export function sendError(
  reply: FastifyReply,
  error: AppError,
  status: number = errorTable[error.code].http,
): FastifyReply {
  if (error.code === "unauthenticated") reply.header("www-authenticate", "Bearer");
  if (error.code === "rate_limited" || error.code === "unavailable") reply.header("retry-after", retryAfter(error));
  return reply.code(status).send({ error: error.toWire() });
}

/** Whole seconds [RFC 9110 10.2.3]. */
function retryAfter({ details }: AppError): string {
  const ms = details?.retryAfterMs;
  return String(typeof ms === "number" ? Math.max(1, Math.ceil(ms / 1000)) : 1);
}

/** What Fastify and Node refuse before a route sees it; anything else is an unexpected failure. */
export function readHttpError(thrown: unknown, bodyBytesMax: number): { error: AppError; status?: number } {
  if (thrown instanceof AppError) return { error: thrown };
  const { statusCode, code } = thrown as { statusCode?: number; code?: string };
  if (statusCode === 413) return { error: tooLargeBody(bodyBytesMax), status: 413 };
  if (statusCode === 415) return refused("invalid_packet", "send content-type application/json", 415);
  if (code === "FST_ERR_BAD_URL") return refused("invalid_packet", "the path is not percent-encoded UTF-8", 400);
  if (code === "FST_ERR_MAX_PARAM_LENGTH") return refused("invalid_packet", "a name in the path is too long", 400);
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500)
    return refused("invalid_packet", (thrown as Error).message, statusCode);
  return { error: errorOf(thrown) };
}

function tooLargeBody(maxBytes: number): AppError {
  return new AppError("too_large", `the body is larger than ${maxBytes} bytes`, { details: { maxBytes } });
}

/** A refusal of bytes that are no HTTP request. */
export function rawRefusal(code: string | undefined): string {
  const [status, error] =
    code === "HPE_HEADER_OVERFLOW"
      ? ["431 Request Header Fields Too Large", { code: "too_large", message: "the headers are too large" }]
      : code === "ERR_HTTP_REQUEST_TIMEOUT"
        ? ["408 Request Timeout", { code: "invalid_packet", message: "the request took too long to arrive" }]
        : ["400 Bad Request", { code: "invalid_packet", message: "not an HTTP request" }];
  const body = JSON.stringify({ error });
  const head = ["content-type: application/json", `content-length: ${Buffer.byteLength(body)}`, "connection: close"];
  return `HTTP/1.1 ${status}\r\n${head.join("\r\n")}\r\n\r\n${body}`;
}

function refused(code: ErrorCode, message: string, status: number) {
  return { error: new AppError(code, message), status };
}
