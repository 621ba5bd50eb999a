// Step 4: a stored message to everybody whose stay holds it, in seq order per conversation as far as this router stored it.
import {
  type JsonObject,
  namedMembers,
  parseConv,
  type Recipients,
  renderMessage,
  type ServerFields,
} from "@parley/protocol";
import { type Place, recipientsOf } from "./recipients.ts";
import { nobody, openRoomRecipients, type RoomRecipientsParts } from "./room-recipients.ts";
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

/**
 * Resolves when the broker has every copy, or when the room's members cannot be read for so long that the packet is let go: then
 * its copies go out later, if they can. Rejects only when the session ended: then the packet comes again.
 */
export type Deliver = (message: StoredMessage, own: SendKept) => Promise<void>;

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

export function createDeliver(parts: RoomRecipientsParts): Deliver {
  const { members } = parts;
  const lines = new Map<string, Line>();
  const rooms = openRoomRecipients(parts);

  return async ({ fields, memberSeq, body, parsed }, own) => {
    const { conv, seq } = fields;
    const at = { seq, memberSeq, body };
    const payload = renderMessage(fields, body, Buffer.allocUnsafe);
    const read = parsed && (() => readMessage(fields, parsed));
    const line = lines.get(conv) ?? openLine(conv, own);
    line.unfinished += 1;
    const finished = () => {
      line.unfinished -= 1;
      if (line.unfinished === 0) lines.delete(conv);
    };
    const to = line.last ? undefined : recipientsNow(conv, at);
    if (to) {
      try {
        return void (await sendOn(line, own, { payload, to, read }));
      } finally {
        finished();
      }
    }
    const work = inTurn(line, conv, at, (found) => sendOn(line, own, { payload, to: found, read })).finally(finished);
    await rooms.wait(conv, payload.byteLength, work);
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
      const to = recipientsNow(conv, at) ?? (await rooms.read(conv, at));
      return { sent: send(to) };
    };
    const started = turn();
    line.last = started;
    const { sent } = await started;
    if (line.last === started) line.last = undefined;
    await sent;
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
