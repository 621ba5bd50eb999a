// A scheduled message as it is kept and as its sender sees it.
import { parseExactly, type Scheduled, type ScheduledNotice } from "@parley/protocol";
import type { ScheduledDoc } from "../store.ts";

/** No uid has a space. */
export function scheduledKey(uid: string, id: string): string {
  return `${uid} ${id}`;
}

/** Numbers in the message are written as its sender wrote them. */
export function rowOf(doc: ScheduledDoc): Scheduled {
  const message = parseExactly(doc.body) as Scheduled["message"];
  const { id, conv, at, error } = doc;
  return { id, conv, at, state: stateOf(doc), message, ...(error && { error }) };
}

export function noticeOf(
  { id, conv, at, error }: ScheduledDoc,
  state: ScheduledNotice["state"],
  seq?: number,
): ScheduledNotice {
  return { type: "scheduled", id, conv, at, state, ...(error && { error }), ...(seq !== undefined && { seq }) };
}

function stateOf({ error, sendingSince }: ScheduledDoc): Scheduled["state"] {
  if (error) return "failed";
  return sendingSince === undefined ? "waiting" : "sending";
}
