// PROXY protocol v2: the header in which a proxy says whose TCP connection it passes on (HAProxy's proxy-protocol.txt, 2.2).
import type { Socket } from "node:net";
import { plainAddress } from "@parley/runtime";

export interface Source {
  address: string;
  port: number;
}

/** The header with all that belongs to it; without `source` the connection is the proxy's own. */
export interface ProxyHeader {
  length: number;
  source?: Source;
}

const signature = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");
/** Signature, version and command, family, and the length of what follows. */
const fixedBytes = 16;
/** What any network passes in one piece; the specification lets receivers end there. */
const headerBytesMax = 536;
const local = 0x20;
const proxied = 0x21;
const families = { unspecified: 0x00, tcp4: 0x11, tcp6: 0x21 };

/** What a connection's first bytes are; `incomplete` while they may still become a header. */
export function readProxyHeader(bytes: Buffer): ProxyHeader | "incomplete" | "malformed" {
  const known = Math.min(bytes.length, signature.length);
  if (bytes.compare(signature, 0, known, 0, known) !== 0) return "malformed";
  if (bytes.length < fixedBytes) return "incomplete";
  const length = fixedBytes + bytes.readUInt16BE(14);
  if (length > headerBytesMax) return "malformed";
  if (bytes.length < length) return "incomplete";
  const command = bytes[12]!;
  // The proxy itself, which looks whether we are well: what it says of addresses is to be ignored.
  if (command === local) return { length };
  if (command !== proxied) return "malformed";
  const family = bytes[13]!;
  if (family === families.unspecified) return { length };
  if (family === families.tcp4 && length >= fixedBytes + 12)
    return { length, source: { address: bytes.subarray(16, 20).join("."), port: bytes.readUInt16BE(24) } };
  if (family === families.tcp6 && length >= fixedBytes + 36)
    return { length, source: { address: ipv6(bytes.subarray(16, 32)), port: bytes.readUInt16BE(48) } };
  return "malformed";
}

function ipv6(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(2 * index).toString(16));
  return plainAddress(groups.join(":"));
}

/** Takes the header off a connection; what follows it is read by the next one. A connection that begins otherwise is closed. `socket` is destroyed by its errors. */
export function awaitProxyHeader(socket: Socket, next: (header: ProxyHeader) => void): void {
  let heard = Buffer.alloc(0);
  const destroy = (): void => void socket.destroy();
  const take = (chunk: Buffer): void => {
    heard = Buffer.concat([heard, chunk]);
    const header = readProxyHeader(heard);
    if (header === "incomplete") return;
    if (header === "malformed") {
      socket.destroy();
      return;
    }
    socket.pause();
    socket.off("data", take).off("end", destroy);
    if (heard.length > header.length) socket.unshift(heard.subarray(header.length));
    next(header);
    socket.resume();
  };
  socket.on("data", take).on("end", destroy);
}
