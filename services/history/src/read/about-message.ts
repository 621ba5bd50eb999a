// messages.versions, messages.reactions and messages.votes: what was said about one message, for those who may read it.
import {
  AppError,
  type Caller,
  type messagesReactions,
  type messagesVersions,
  type messagesVotes,
  type ParamsOf,
} from "@parley/protocol";
import { pageRoomOf } from "@parley/runtime";
import type { LogEntry } from "@parley/store";
import type { Asker } from "../fold/devices.ts";
import { isCounted } from "../fold/fold-entry.ts";
import { sees } from "../fold/members.ts";
import { type Annotations, annotationsKey, noAnnotations } from "../keep/annotations.ts";
import { entryAt } from "../keep/entry-at.ts";
import type { Member } from "../keep/store.ts";
import { messageJson, reactionsFor } from "./annotated.ts";
import { hideExpired } from "./expired.ts";
import { tooLarge } from "./page.ts";
import { pollState } from "./poll-state.ts";
import { memberOf, type Reading, readerOf } from "./reading.ts";
import { visibleEdits } from "./versions.ts";

interface Found {
  member: Member;
  entry: LogEntry;
  annotations: Annotations;
}

/** The result as JSON text. */
export async function messageVersions(
  reading: Reading,
  { conv, seq, after = 0 }: ParamsOf<typeof messagesVersions>,
  caller: Caller,
): Promise<string | AppError> {
  const found = await findMessage(reading, conv, seq, caller);
  if (found instanceof AppError) return found;
  const seqs = [seq, ...visibleEdits(found.member, found.annotations)].filter((version) => version > after);
  const versions: string[] = [];
  let room = pageRoomOf(caller);
  for (const version of seqs) {
    const entry = version === seq ? found.entry : await entryAt(reading.store, conv, version);
    const text = entry ? messageJson(entry) : "";
    if (text === "") continue;
    const bytes = Buffer.byteLength(text) + 1;
    room -= bytes;
    if (room < 0 && versions.length === 0 && caller.maxBytes !== undefined) return tooLarge(conv, version, bytes);
    if (room < 0 && versions.length > 0) return `{"versions":[${versions.join(",")}],"more":true}`;
    versions.push(text);
  }
  return `{"versions":[${versions.join(",")}],"more":false}`;
}

/** The result as JSON text. */
export async function messageReactions(
  reading: Reading,
  { conv, seq }: ParamsOf<typeof messagesReactions>,
  caller: Caller,
): Promise<string | AppError> {
  const found = await findMessage(reading, conv, seq, caller);
  if (found instanceof AppError) return found;
  return JSON.stringify({ reactions: reactionsFor(found.member, found.annotations) });
}

/** The result as JSON text. */
export async function messageVotes(
  reading: Reading,
  { conv, seq }: ParamsOf<typeof messagesVotes>,
  caller: Caller,
): Promise<string | AppError> {
  const found = await findMessage(reading, conv, seq, caller);
  if (found instanceof AppError) return found;
  if (found.entry.type !== "poll") return new AppError("not_found", `message ${seq} is no poll`);
  return JSON.stringify(pollState(found.member, found.annotations));
}

/** A message that the caller may read. "No such message" is the same answer as "not yours to see". */
export async function findMessage(
  reading: Reading,
  conv: string,
  seq: number,
  asker: Asker,
): Promise<Found | AppError> {
  const { store } = reading;
  const known = await memberOf(reading, conv, asker.uid);
  const [found, annotated] = await Promise.all([
    entryAt(store, conv, seq),
    store.annotations.get(annotationsKey(conv, seq)),
  ]);
  const [entry] = found ? await hideExpired(store, [found]) : [];
  const member = await readerOf(reading, { conv, asker, known });
  if (member instanceof AppError) return member;
  const annotations = annotated?.doc ?? noAnnotations(conv, seq);
  const isThere = entry && isCounted(entry) && sees(member, seq);
  if (!isThere) return new AppError("not_found", `there is no message ${seq} here`);
  const { recall } = annotations;
  if (recall && !recall.expired) return new AppError("not_found", `message ${seq} was recalled`);
  if (recall || entry !== found) return new AppError("not_found", `message ${seq} has disappeared`);
  return { member, entry, annotations };
}
