// What stored entries tell, and whom: of a message its receivers, of an event those who are asked into a room by it.
import type { MembershipEvent, StoredEntry } from "@parley/protocol";
import { type FollowedReference, type NatsConnection, readStored } from "@parley/runtime";
import type { Told } from "./decide-jobs.ts";
import { callType, eventType } from "./kinds.ts";
import type { Whom } from "./whom.ts";

export interface ToldParts {
  nats: NatsConnection;
  whom: Whom;
}

/** One a reference that tells anybody anything. Throws `unavailable` when history does not say. */
export async function toldBy(parts: ToldParts, found: readonly FollowedReference[]): Promise<Told[]> {
  const events = found.filter(({ reference }) => reference.type === eventType);
  const messages = found.filter(({ reference }) => reference.type !== eventType);
  // Lists of members are as of the events before, so these are seen first.
  for (const { reference } of events) parts.whom.changed(reference);
  const [invitations, told] = await Promise.all([
    invitationsIn(parts, events),
    Promise.all(messages.map(({ reference }) => ofMessage(parts, reference))),
  ]);
  return [...invitations, ...told].filter(({ receivers }) => receivers.length > 0);
}

async function ofMessage({ whom }: ToldParts, reference: FollowedReference["reference"]): Promise<Told> {
  const { conv, seq, type, ts } = reference;
  // Whether a call still rings its content says: it is looked at before it is sent.
  const kind = type === callType ? "call" : "message";
  return { what: { kind, conv, seq, at: ts }, receivers: await whom.of(reference) };
}

async function invitationsIn({ nats }: ToldParts, events: readonly FollowedReference[]): Promise<Told[]> {
  const positions = new Map<number, number[]>();
  for (const { q, reference } of events) positions.set(q, [...(positions.get(q) ?? []), reference.pos]);
  const read = await Promise.all([...positions].map(([q, wanted]) => readStored(nats, q, wanted)));
  return read.flat().map(invitationOf);
}

/** Whom an entry asks into its room, or takes in; nobody, as a rule. */
function invitationOf({ conv, seq, from, ts, body }: StoredEntry): Told {
  const { event, by = from, uids = [], invited = [] } = eventIn(body);
  const isAsking = event === "invite" || event === "create";
  const asked = isAsking ? new Set([...uids, ...invited]) : new Set<string>();
  asked.delete(by);
  return { what: { kind: "invitation", conv, seq, at: ts }, receivers: [...asked].map((uid) => ({ uid })) };
}

function eventIn(body: Uint8Array): Partial<MembershipEvent> {
  if (body.byteLength === 0) return {};
  const { content } = JSON.parse(Buffer.from(body).toString()) as { content?: { data?: Partial<MembershipEvent> } };
  return content?.data ?? {};
}
