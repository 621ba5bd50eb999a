// What the local APNs answers one request, or does instead.
import { randomUUID } from "node:crypto";
import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";

/**
 * A status with Apple's reason, or with any body (a lie). `silence`: nothing, ever. `reset`: the stream is reset after it
 * was taken. `refuse`: it is reset as one that was not taken. `cut`: the connection ends.
 */
export type ApnsReply =
  | { status: number; reason?: string; timestamp?: number; body?: string }
  | "silence"
  | "reset"
  | "refuse"
  | "cut";

export function reply(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, how: ApnsReply): void {
  if (stream.destroyed || how === "silence") return;
  if (how === "cut") stream.session?.destroy();
  else if (how === "reset") stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  else if (how === "refuse") stream.close(constants.NGHTTP2_REFUSED_STREAM);
  else {
    const { status, reason, timestamp } = how;
    const body = how.body ?? (reason && JSON.stringify({ reason, ...(timestamp && { timestamp }) }));
    const id = headers["apns-id"] ?? randomUUID().toUpperCase();
    const unique = status === 200 && { "apns-unique-id": randomUUID() };
    stream.respond({ ":status": status, "apns-id": id, ...unique }, { endStream: !body });
    if (body) stream.end(body);
  }
}
