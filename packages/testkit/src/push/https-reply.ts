// What a local HTTPS server answers one request, or does instead.
import type { IncomingMessage, ServerResponse } from "node:http";

/**
 * `silence`: nothing, ever. `cut`: the connection ends. `cut inside`: it ends in the middle of an answer of that status.
 * `trickle`: headers of that status, and then a byte now and then, without an end.
 */
export type HttpsReply =
  | { status: number; body?: unknown; headers?: Record<string, string> }
  | { status: number; fault: "cut inside" | "trickle" }
  | "silence"
  | "cut";

const trickleMs = 50;
const promised = { "content-type": "application/json", "content-length": "1000" };

export function replyHttps(response: ServerResponse, how: HttpsReply): void {
  if (response.destroyed || how === "silence") return;
  if (how === "cut") response.socket?.destroy();
  else if ("fault" in how) {
    response.writeHead(how.status, promised);
    response.write("{");
    if (how.fault === "trickle") trickle(response);
    // The headers have to be on their way first.
    else setImmediate(() => response.destroy());
  } else {
    const { status, body, headers } = how;
    const text = body === undefined ? "" : typeof body === "string" ? body : JSON.stringify(body);
    const type = typeof body === "string" ? "text/html" : "application/json";
    response.writeHead(status, { ...(text && { "content-type": type }), ...headers });
    response.end(text);
  }
}

function trickle(response: ServerResponse): void {
  const timer = setInterval(() => response.write(" "), trickleMs);
  response.on("close", () => clearInterval(timer));
}

export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
