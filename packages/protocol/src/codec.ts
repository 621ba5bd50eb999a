// Bytes from a client → a JSON object that is safe to hold: size before parse, fatal UTF-8, depth, nodes and keys.
import { AppError } from "./errors.ts";
import { limits } from "./limits.ts";

export type JsonObject = { [key: string]: unknown };
export interface DecodeLimits {
  bytes: number;
  depth: number;
  nodes: number;
}

const utf8 = new TextDecoder("utf-8", { fatal: true });
const packetLimits: DecodeLimits = { bytes: limits.packetBytes, depth: limits.packetDepth, nodes: limits.packetNodes };
const refusedKeys = new Set(["__proto__", "constructor", "prototype"]);

/**
 * One JSON object from untrusted bytes. A refusal is returned, not thrown: `too_large` or `invalid_packet`, with what
 * is wrong and where. Keys that name prototypes or begin with `$` (operators of a store) are refused at any depth.
 */
export function decodeObject(bytes: Uint8Array, limit: DecodeLimits = packetLimits): JsonObject | AppError {
  if (bytes.byteLength > limit.bytes)
    return new AppError("too_large", `packet of ${bytes.byteLength} bytes; the limit is ${limit.bytes}`, {
      details: { bytes: bytes.byteLength, maxBytes: limit.bytes },
    });
  let text: string;
  let value: unknown;
  try {
    text = utf8.decode(bytes);
    value = JSON.parse(text);
  } catch (error) {
    const what = error instanceof SyntaxError ? "not JSON" : "not UTF-8";
    return new AppError("invalid_packet", `the packet is ${what}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return new AppError("invalid_packet", "the packet is not a JSON object");
  if (hasLoneSurrogate(text))
    return new AppError("invalid_packet", "the packet has half a character (a lone surrogate)");
  return checkTree(value, limit) ?? (value as JsonObject);
}

const surrogateEscape = /\\u[dD][89a-fA-F]/;
// Every escape of JSON, from left to right: a pair is taken whole, so that what the group catches is alone.
const escapes = /\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|(u[dD][89a-fA-F]..)|.)/gs;

// Half a character can only be written as an escape: in the bytes it is no UTF-8. Two texts that differ in it alone would
// be one in a store. Keys and values that a later key of the same name hides are looked at too: they are delivered.
function hasLoneSurrogate(json: string): boolean {
  if (!surrogateEscape.test(json)) return false;
  for (const [, alone] of json.matchAll(escapes)) if (alone !== undefined) return true;
  return false;
}

/** Depth, node count and keys of a parsed value; undefined when all is well. */
export function checkTree(root: object, limit: DecodeLimits = packetLimits): AppError | undefined {
  let level: object[] = [root];
  let nodes = 0;
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > limit.depth) return new AppError("invalid_packet", `nested deeper than ${limit.depth} levels`);
    const next: object[] = [];
    for (const node of level) {
      const refused = Array.isArray(node) ? undefined : Object.keys(node).find(isRefused);
      if (refused !== undefined)
        return new AppError("invalid_packet", `the key ${JSON.stringify(refused.slice(0, 40))} is not allowed`);
      nodes += collectChildren(node, next);
      if (nodes > limit.nodes) return new AppError("invalid_packet", `more than ${limit.nodes} keys and elements`);
    }
    level = next;
  }
  return undefined;
}

/** Adds the objects and arrays in `node` to `into`; answers how many keys or elements it has. */
function collectChildren(node: object, into: object[]): number {
  const children: unknown[] = Array.isArray(node) ? node : Object.values(node);
  for (const child of children) if (typeof child === "object" && child !== null) into.push(child);
  return children.length;
}

function isRefused(key: string): boolean {
  return key.startsWith("$") || refusedKeys.has(key);
}
