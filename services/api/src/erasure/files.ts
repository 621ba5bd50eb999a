// Files of a user who is erased: those that others have sent on go to them, all others go.
import type { Pass } from "@parley/runtime";
import type { Blobs, Versioned } from "@parley/store";
import { removeAttachment, sweepLeaving } from "../files/leaving.ts";
import { removeUpload, type Upload } from "../files/resumable/uploads.ts";

import type { History } from "../history.ts";
import type { ApiStore, AttachmentDoc, ScheduledDoc } from "../store.ts";

interface Parts {
  store: ApiStore;
  blobs: Blobs;
  history: Pick<History, "heirs">;
  /** marks a point where a test can end the process */
  pass: Pass;
}

type Kept = Versioned<AttachmentDoc>;

const pageDocuments = 100;
/** Others who sent it on have it no more. */
const heirsMax = 100;
/** As many as history is asked about at once. */
const sendersAtOnce = 50;

/** While its messages still show who had them from it. */
export async function handOverFiles(parts: Parts, uid: string): Promise<void> {
  for (let page: string | null | undefined; page !== null; ) {
    const query = { index: "uid", equals: [uid], limit: pageDocuments, ...(page === undefined ? {} : { page }) };
    const found = await parts.store.attachments.find(query);
    for (const kept of found.items) await takeFrom(parts, uid, kept);
    page = found.next;
  }
}

/** Its uploads, and its attachments once its messages refer to nothing any more. */
export async function removeFiles(parts: Parts, uid: string): Promise<void> {
  const { uploads, attachments } = parts.store;
  for (let found: readonly Upload[] | undefined; found?.length !== 0; ) {
    found = (await uploads.find({ index: "uid", equals: [uid], limit: pageDocuments })).items;
    for (const upload of found) await removeUpload(parts, upload);
  }
  for (;;) {
    const { items } = await attachments.find({ index: "uid", equals: [uid], limit: pageDocuments });
    for (const kept of items) await passOn(parts, uid, kept);
    if (items.length === 0) break;
  }
  // Of one that died over the last of them nothing but a note is left.
  await sweepLeaving(parts, Date.now());
}

/**
 * From then on only `heirs` have it: all who had it from the user and sent it on, or will. They are asked for again behind the write that
 * takes it from the user, as somebody may have sent it on before. undefined: it is another's, or gone.
 */
async function takeFrom({ store, history }: Parts, uid: string, kept: Kept): Promise<Kept | undefined> {
  for (let last: Kept | undefined = kept; last?.doc.uid === uid; last = await store.attachments.get(kept.key)) {
    const { doc, version } = last;
    const heirs = await heirsOf({ store, history }, last);
    if (doc.left && heirs.length === doc.heirs?.length) return last;
    await store.attachments.update(kept.key, { ...doc, heirs, left: true }, version);
  }
  return undefined;
}

async function heirsOf(
  { store, history }: Pick<Parts, "store" | "history">,
  { key: file, doc }: Kept,
): Promise<string[]> {
  const { uid: owner, heirs = [] } = doc;
  const found = new Set(heirs);
  const scheduling = await schedulersOf(store, file);
  let page: string | null | undefined;
  do {
    const others = scheduling.splice(0, sendersAtOnce);
    const { heirs: more, next } = await history.heirs({ file, owner, heirs, others, ...(page ? { page } : {}) });
    for (const uid of more) found.add(uid);
    // A history of before has one page.
    page = next ?? null;
  } while ((page !== null || scheduling.length > 0) && found.size < heirsMax);
  found.delete(owner);
  return [...found].slice(0, heirsMax);
}

/** Whose message with it is sent later. */
async function schedulersOf({ scheduled }: ApiStore, file: string): Promise<string[]> {
  const uids = new Set<string>();
  for (let page: string | null | undefined; page !== null; ) {
    const query = { index: "file", equals: [file], limit: pageDocuments, ...(page === undefined ? {} : { page }) };
    const { items, next }: { items: { doc: ScheduledDoc }[]; next: string | null } = await scheduled.find(query);
    for (const { doc } of items) uids.add(doc.uid);
    page = next;
  }
  return [...uids];
}

// An heir may have been erased meanwhile: it is the next one's then.
async function passOn(parts: Parts, uid: string, kept: Kept): Promise<void> {
  const { attachments, users } = parts.store;
  const taken = await takeFrom(parts, uid, kept);
  if (!taken) return;
  const { left: _, heirs = [], ...doc } = taken.doc;
  const known = await users.getMany(heirs);
  const [heir, ...others] = heirs.filter((one) => known.has(one));
  if (heir === undefined) return void (await removeAttachment(parts, taken, Date.now()));
  const handed: AttachmentDoc = { ...doc, uid: heir, handedOn: true, ...(others.length > 0 ? { heirs: others } : {}) };
  await attachments.update(kept.key, handed, taken.version);
  if (await users.get(heir)) return;
  const now = await attachments.get(kept.key);
  if (now?.doc.uid === heir) await passOn(parts, heir, now);
}
