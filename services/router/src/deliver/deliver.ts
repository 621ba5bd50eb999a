// Step 4: a stored message to everybody whose stay holds it, in seq order per conversation as far as this router stored it.
import {
  type JsonObject,
  namedMembers,
  parseConv,
  type Recipients,
  renderMessage,
  type ServerFields,
} from "@parley/protocol";
import type { Logger, Members, StoredAt } from "@parley/runtime";
import { LRUCache } from "lru-cache";
import { recipientsOf } from "./recipients.ts";
import type { SendKept } from "./send.ts";

/** A message as it is stored. */
export interface StoredMessage {
  fields: ServerFields;
  /** seq of the conversation's last membership event at it */
  memberSeq: number;
  body: Uint8Array;
  /** what the body says, where that is known */
  parsed?: JsonObject | undefined;
}

/** Resolves when the broker has every copy. Rejects only when the session ended: then the packet comes again. */
export type Deliver = (message: StoredMessage, own: SendKept) => Promise<void>;

export interface DeliverParts {
  members: Members;
  log: Logger;
  giveUpMs?: number;
  pauseMs?: number;
}

/**
 * The deliveries of one conversation that are not finished. All go out on one session, whichever session their packets
 * came on: two sessions side by side would let the second message out before the first.
 */
interface Line {
  send: SendKept;
  unfinished: number;
  /** the last one that waits for its turn or for the members; undefined: the next one may go at once */
  last: Promise<unknown> | undefined;
}

type Place = StoredAt & Pick<StoredMessage, "body">;

const nobody: Recipients = { users: [], devices: [] };
const roomsInTroubleMax = 5_000;
// After its last failed read: by then a room may be well again, and is tried as any other.
const troubleKeptMs = 30_000;

export function createDeliver({ members, log, giveUpMs = 10_000, pauseMs = 500 }: DeliverParts): Deliver {
  const lines = new Map<string, Line>();
  const unreadSince = new LRUCache<string, number>({ max: roomsInTroubleMax, ttl: troubleKeptMs });

  return async ({ fields, memberSeq, body, parsed }, own) => {
    const { conv, seq } = fields;
    const at = { seq, memberSeq, body };
    const payload = renderMessage(fields, body, Buffer.allocUnsafe);
    const read = parsed && (() => readMessage(fields, parsed));
    const line = lines.get(conv) ?? openLine(conv, own);
    line.unfinished += 1;
    try {
      const to = line.last ? undefined : recipientsNow(conv, at);
      if (to) await sendOn(line, own, { payload, to, read });
      else await inTurn(line, conv, at, (found) => sendOn(line, own, { payload, to: found, read }));
    } finally {
      line.unfinished -= 1;
      if (line.unfinished === 0) lines.delete(conv);
    }
  };

  function openLine(conv: string, send: SendKept): Line {
    const line: Line = { send, unfinished: 0, last: undefined };
    lines.set(conv, line);
    return line;
  }

  // undefined: the members have to be read.
  function recipientsNow(conv: string, at: Place): Recipients | undefined {
    const named = namedRecipients(conv);
    if (named) return named;
    const list = members.known(conv, at);
    return list && recipientsOf(list, at);
  }

  // The next one waits until this one is on its way, not until the broker has it.
  async function inTurn(
    line: Line,
    conv: string,
    at: Place,
    send: (to: Recipients) => Promise<unknown>,
  ): Promise<void> {
    const before = line.last;
    const turn = async () => {
      await before;
      const to = recipientsNow(conv, at) ?? (await recipientsOfRoom(conv, at));
      return { sent: send(to) };
    };
    const started = turn();
    line.last = started;
    const { sent } = await started;
    if (line.last === started) line.last = undefined;
    await sent;
  }

  // Never rejects. A room whose members cannot be read is given up once, for all that waits and comes until they can be:
  // it is stored and acknowledged, its members have it by sync, and nobody blocks a partition for longer.
  async function recipientsOfRoom(conv: string, at: Place): Promise<Recipients> {
    const startedAt = performance.now();
    while (!isGivenUp(conv)) {
      const to = await readRecipients(conv, at, startedAt);
      if (to) return to;
      if (!isGivenUp(conv)) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
    void readRecipients(conv, at, startedAt);
    return nobody;
  }

  function isGivenUp(conv: string): boolean {
    const since = unreadSince.get(conv);
    return since !== undefined && performance.now() - since >= giveUpMs;
  }

  // Never rejects; undefined: they are not to be had now.
  async function readRecipients(conv: string, at: Place, startedAt: number): Promise<Recipients | undefined> {
    try {
      const list = await members.read(conv, at);
      unreadSince.delete(conv);
      return recipientsOf(list, at);
    } catch (error) {
      unreadSince.set(conv, unreadSince.get(conv) ?? startedAt);
      log.warn({ event: "members_unknown", conv, seq: at.seq, reason: String(error) });
      return undefined;
    }
  }
}

interface Copies {
  payload: Uint8Array;
  to: Recipients;
  read: (() => JsonObject) | undefined;
}

// On the session of the conversation's line. Where that one has ended, the packet's own still stands, or its next holder
// does all of it again.
function sendOn(line: Line, own: SendKept, { payload, to, read }: Copies): Promise<unknown> {
  const { send } = line;
  if (send === own) return own(payload, to, read);
  return send(payload, to, read).catch(() => {
    if (line.send === send) line.send = own;
    return own(payload, to, read);
  });
}

/** What the rendered message says, without reading it. */
function readMessage({ expiresAt, ...fields }: ServerFields, parsed: JsonObject): JsonObject {
  return { ...fields, ...(expiresAt !== undefined && { expiresAt }), ...parsed };
}

// Where the conversation's name says who takes part; a message to one device goes to that device and to the sender's.
function namedRecipients(conv: string): Recipients | undefined {
  const parsed = parseConv(conv);
  if (!parsed) return nobody;
  if (parsed.kind === "dev") return { users: [parsed.from], devices: [{ uid: parsed.uid, clientId: parsed.clientId }] };
  const users = namedMembers(parsed);
  return users && { users, devices: [] };
}
