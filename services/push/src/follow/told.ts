// What stored entries tell, and whom: of a message its receivers, of an event those who are asked into a room by it.
import type { MembershipEvent, StoredEntry, StoredReference } from "@parley/protocol";
import { type FollowedReference, type NatsConnection, readFollowed } from "@parley/runtime";
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
  // Lists of members are as of the events before, so these are seen first.
  for (const { reference } of events) parts.whom.changed(reference);
  // Of these the content says whether anybody is told, and of what.
  const bodies = await readBodies(parts, found);
  const told = await Promise.all(
    found.map(({ reference }) => {
      const body = bodies.get(`${reference.conv} ${reference.seq}`);
      return reference.type === eventType ? invitationOf(reference, body) : messageOf(parts, reference, body);
    }),
  );
  return told.filter(({ receivers }) => receivers.length > 0);
}

/** By place; of kinds that are read alone. */
async function readBodies({ nats }: ToldParts, found: readonly FollowedReference[]): Promise<Map<string, unknown>> {
  const read = await readFollowed(
    nats,
    found.filter(({ reference }) => reference.type === eventType || reference.type === callType),
  );
  return new Map(read.map(({ conv, seq, body }) => [`${conv} ${seq}`, contentOf(body)]));
}

async function messageOf({ whom }: ToldParts, reference: StoredReference, content: unknown): Promise<Told> {
  const { conv, seq, from, ts } = reference;
  const rings = (content as { outcome?: unknown } | undefined)?.outcome === "ringing";
  return {
    what: { kind: rings ? "call" : "message", conv, seq, at: ts },
    receivers: await whom.of(reference),
    except: from,
  };
}

/** Whom an event asks into its room, or takes in; nobody, as a rule. */
function invitationOf({ conv, seq, from, ts }: StoredReference, content: unknown): Told {
  const { data = {} } = (content ?? {}) as { data?: Partial<MembershipEvent> };
  const { event, by = from, uids = [], invited = [] } = data;
  const isAsking = event === "invite" || event === "create";
  const asked = isAsking ? new Set([...uids, ...invited]) : new Set<string>();
  asked.delete(by);
  return { what: { kind: "invitation", conv, seq, at: ts }, receivers: [...asked].map((uid) => ({ uid })) };
}

function contentOf(body: StoredEntry["body"]): unknown {
  // What was erased has none.
  if (body.byteLength === 0) return undefined;
  return (JSON.parse(Buffer.from(body).toString()) as { content?: unknown }).content;
}
