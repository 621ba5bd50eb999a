// What a payload on one of the device's topics is. A message can never pass for anything that only the server says.
import type {
  AckPacket,
  AnswerPacket,
  AttachmentNotice,
  ConversationNotice,
  DraftNotice,
  InvitationNotice,
  Message,
  NackPacket,
  PresenceNotice,
  ReceiptNotice,
  RosterNotice,
  ScheduledNotice,
  StarNotice,
  ThreadNotice,
  TooLargeNotice,
  TypingNotice,
} from "@parley/protocol";

export type Incoming =
  | { kind: "message"; packet: Message }
  | { kind: "ack"; packet: AckPacket }
  | { kind: "nack"; packet: NackPacket }
  | { kind: "receipt"; packet: ReceiptNotice }
  | { kind: "typing"; packet: TypingNotice }
  | { kind: "presence"; packet: PresenceNotice }
  | { kind: "invitation"; packet: InvitationNotice }
  | { kind: "roster.changed"; packet: RosterNotice }
  | { kind: "answer"; packet: AnswerPacket }
  | { kind: "conversation"; packet: ConversationNotice }
  | { kind: "star"; packet: StarNotice }
  | { kind: "draft"; packet: DraftNotice }
  | { kind: "scheduled"; packet: ScheduledNotice }
  | { kind: "attachment"; packet: AttachmentNotice }
  | { kind: "thread"; packet: ThreadNotice }
  | { kind: "too_large"; packet: TooLargeNotice }
  | { kind: "unknown" };

const utf8 = new TextDecoder();
const noticeKinds = new Set([
  "ack",
  "nack",
  "receipt",
  "typing",
  "presence",
  "invitation",
  "roster.changed",
  "conversation",
  "star",
  "draft",
  "scheduled",
  "attachment",
  "thread",
  "too_large",
]);

/**
 * `from` and `content` are on every message and on nothing else, whatever a sender wrote into `type`. What a newer
 * server may send is `unknown`.
 */
export function readIncoming(payload: Uint8Array): Incoming {
  const packet = parse(payload);
  if (!packet) return { kind: "unknown" };
  if ("from" in packet || "content" in packet) {
    const whole = typeof packet.conv === "string" && Number.isInteger(packet.seq) && typeof packet.from === "string";
    return whole ? ({ kind: "message", packet } as unknown as Incoming) : { kind: "unknown" };
  }
  if (noticeKinds.has(packet.type as string)) return { kind: packet.type, packet } as unknown as Incoming;
  if ("result" in packet || "error" in packet) return { kind: "answer", packet } as unknown as Incoming;
  return { kind: "unknown" };
}

type ToldAsItIs = "typing" | "presence" | "invitation" | "star" | "draft" | "thread" | "scheduled" | "attachment";
const toldAsTheyAre: ReadonlySet<string> = new Set([
  "typing",
  "presence",
  "invitation",
  "star",
  "draft",
  "thread",
  "scheduled",
  "attachment",
]);

/** The application is told of it, and nothing else is done with it. */
export function isToldAsItIs(incoming: Incoming): incoming is Extract<Incoming, { kind: ToldAsItIs }> {
  return toldAsTheyAre.has(incoming.kind);
}

function parse(payload: Uint8Array): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(utf8.decode(payload));
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
