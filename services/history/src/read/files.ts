// Who may have a file that was sent: members whose stay holds a message that refers to it.
import { AppError, type AttachmentRequest, isAttachmentId, namedMembers, parseConv } from "@parley/protocol";
import type { LogEntry } from "@parley/store";
import { sees } from "../fold/members.ts";
import { entryFile } from "../keep/entry-file.ts";
import { type FilePlace, type HistoryStore, memberKey } from "../keep/store.ts";

type Stored = Pick<HistoryStore, "log" | "members" | "infos" | "files">;

const pagePlaces = 500;
/** Of a file that was sent more often these are looked at. */
const placesMax = 10_000;
/** Whoever forwards a file must have been able to read it, and so on, so many steps back. */
const stepsMax = 8;
const filesAtOnce = 500;
/** No commit takes as long. */
const awaitedMs = 60_000;

/** Also while the message is new: its place is stored before it is. */
export async function mayFetch(reading: { store: Stored }, { file, owner, uid }: AttachmentRequest): Promise<boolean> {
  if (!isAttachmentId(file)) throw new AppError("invalid_packet", "file is not the id of an attachment");
  const places: FilePlace[] = [];
  for await (const page of placesOf(reading.store, file)) places.push(...page);
  return reaches(reading.store, { places, owner, seen: new Set() }, uid, stepsMax);
}

/** Those of the files that a message refers to. */
export async function sentFiles({ store }: { store: Stored }, files: readonly string[]): Promise<string[]> {
  if (!Array.isArray(files) || files.length > filesAtOnce || !files.every(isAttachmentId))
    throw new AppError("invalid_packet", `files: at most ${filesAtOnce} ids of attachments`);
  const sent: string[] = [];
  for (const file of files) if ((await isSent(store, file)) !== "no") sent.push(file);
  return sent;
}

/** `perhaps`: a message with it is about to be stored. */
export async function isSent(store: Stored, file: string): Promise<"yes" | "no" | "perhaps"> {
  let answer: "no" | "perhaps" = "no";
  for await (const page of placesOf(store, file))
    for (const place of page) {
      if (await messageAt(store, place)) return "yes";
      if (await isAwaited(store, place)) answer = "perhaps";
    }
  return answer;
}

// Its place was noted a moment ago, and the log does not reach as far.
async function isAwaited({ log }: Stored, { conv, seq, at = 0 }: FilePlace): Promise<boolean> {
  if (at < Date.now() - awaitedMs) return false;
  const last = (await log.heads([conv])).get(conv);
  return seq > (last?.seq ?? 0);
}

async function* placesOf({ files }: Stored, file: string): AsyncGenerator<FilePlace[]> {
  // Behind a space comes "!": these are the keys that begin with the file's id.
  const query = { from: `${file} `, before: `${file}!`, limit: pagePlaces };
  let read = 0;
  for (let page: string | null | undefined; page !== null && read < placesMax; ) {
    const answer = await files.find({ ...query, ...(page === undefined ? {} : { page }) });
    page = answer.next;
    read += answer.items.length;
    yield answer.items.map(({ doc }) => doc);
  }
}

interface Search {
  places: readonly FilePlace[];
  owner: string;
  /** users who were looked at */
  seen: Set<string>;
}

async function reaches(store: Stored, search: Search, uid: string, steps: number): Promise<boolean> {
  if (uid === search.owner) return true;
  if (steps === 0 || search.seen.has(uid)) return false;
  search.seen.add(uid);
  const senders = new Set<string>();
  for (const place of await readableBy(store, search.places, uid)) {
    const message = await messageAt(store, place);
    if (message?.from === search.owner) return true;
    // One's own message shows nothing that one could not read before.
    if (message && message.from !== uid) senders.add(message.from);
  }
  for (const from of senders) if (await reaches(store, search, from, steps - 1)) return true;
  return false;
}

// Documents are right about stays, whoever holds the partition, and about what was recalled.
async function readableBy({ members, infos }: Stored, places: readonly FilePlace[], uid: string): Promise<FilePlace[]> {
  const convs = [...new Set(places.map(({ conv }) => conv))];
  const [found, known] = await Promise.all([
    members.getMany(convs.map((conv) => memberKey(conv, uid))),
    infos.getMany(convs),
  ]);
  return places.filter(({ conv, seq }) => {
    const member = found.get(memberKey(conv, uid))?.doc;
    const isRecalled = known.get(conv)?.doc.recalled?.some(([recalled]) => recalled === seq) ?? false;
    return !isRecalled && (member ? sees(member, seq) : isNamed(conv, uid));
  });
}

function isNamed(conv: string, uid: string): boolean {
  const parsed = parseConv(conv);
  return parsed !== undefined && (namedMembers(parsed)?.includes(uid) ?? false);
}

/** The message that stands there and refers to the file; an erased one refers to nothing. */
async function messageAt({ log }: Stored, { file, conv, seq }: FilePlace): Promise<LogEntry | undefined> {
  const [entry] = await log.range(conv, { after: seq - 1, before: seq + 1, limit: 1 });
  return entry && entryFile(entry) === file ? entry : undefined;
}
