// The ends of many conversations, read together; their bodies are kept only up to a bound.
import type { LogEntry, MessageLog } from "@parley/store";

export type Heads = Map<string, LogEntry>;

const atOnce = 500;
const noBody = new Uint8Array(0);

/** The last entries of these conversations; one without a message is missing. Beyond `bodyBytes` in all, bodies are left out. */
export async function headsOf(log: MessageLog, convs: readonly string[], bodyBytes: number): Promise<Heads> {
  const heads: Heads = new Map();
  let room = bodyBytes;
  for (let at = 0; at < convs.length; at += atOnce) {
    for (const [conv, entry] of await log.heads(convs.slice(at, at + atOnce))) {
      room -= entry.body.byteLength;
      heads.set(conv, room >= 0 ? entry : { ...entry, body: noBody });
    }
  }
  return heads;
}
