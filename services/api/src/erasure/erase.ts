// Erasing an account, step by step: each step may be done again, and what is left is what there is to do, so that whichever api
// lives goes on where another died.
import { AppError, type Door, foldName } from "@parley/protocol";
import { type NatsConnection, type Pass, removeRequestsOf } from "@parley/runtime";
import type { Blobs } from "@parley/store";
import { doubtLogin, settleLogin, settleLogins } from "../accounts/logins/share.ts";
import { removeAliases } from "../accounts/names/aliases.ts";
import type { Revoke } from "../accounts/revoke.ts";
import { removeStorage } from "../accounts/storage.ts";
import type { History } from "../history.ts";
import type { ApiStore, ErasureDoc } from "../store.ts";
import { eraseConversations } from "./conversations.ts";
import { handOverFiles, removeFiles } from "./files.ts";
import type { EraseOthers } from "./others.ts";
import { eraseRoster } from "./roster.ts";

export interface ErasureParts {
  store: ApiStore;
  blobs: Blobs;
  revoke: Revoke;
  history: History;
  nats: NatsConnection;
  others: EraseOthers;
  /** api's own store without what was erased */
  compact(): Promise<void>;
  /** marks a point where a test can end the process */
  pass: Pass;
}

/** From here on there is no such user, and there will not be another one of that name. Again is harmless. */
export async function closeAccount({ store, revoke, history, pass }: ErasureParts, erasure: ErasureDoc): Promise<void> {
  const { uid, version } = erasure;
  await keepName(store, uid);
  const login = (await store.users.get(uid))?.doc.login;
  if (login !== undefined) await doubtLogin(store, login);
  pass("before-user-removed");
  await store.users.remove(uid);
  if (login !== undefined) await settleLogin(store, login);
  await revoke.user(uid);
  await history.doors([door(erasure, "erasing", version)]);
}

/** All that is kept of the user is removed when this resolves. */
export async function eraseKept(parts: ErasureParts, erasure: ErasureDoc): Promise<void> {
  const { store, history, others, pass } = parts;
  const { uid } = erasure;
  await closeAccount(parts, erasure);
  await store.profiles.remove(uid);
  await removeScheduled(store, uid);
  await removeStorage(store, uid);
  await eraseRoster(parts, uid);
  await handOverFiles(parts, uid);
  await eraseConversations(parts, uid);
  await history.eraseUser(uid);
  pass("before-files-removed");
  await removeFiles(parts, uid);
  await removeRequestsOf(store.requests, uid);
  await others.devices(uid);
  pass("before-push-erased");
  await others.push(uid);
  await removeAliases(store, uid);
  // Of an api that died the last account may have left its login.
  await settleLogins(store);
}

/** And it is off the disks: the erasure is done. */
export async function endErasure(parts: ErasureParts, erasure: ErasureDoc): Promise<void> {
  const { store, history, others, pass } = parts;
  const { uid, version } = erasure;
  await Promise.all([parts.compact(), others.compact()]);
  await history.doors([door(erasure, "gone", version + 1)]);
  pass("before-erasure-done");
  const { pending: _, ...rest } = erasure;
  await store.erasures.put([{ key: uid, doc: { doneAt: Date.now(), ...rest } }]);
}

async function removeScheduled({ scheduled }: ApiStore, uid: string): Promise<void> {
  for (;;) {
    const { items } = await scheduled.find({ index: "of_user", equals: [uid], limit: 200 });
    for (const { key } of items) await scheduled.remove(key);
    if (items.length === 0) return;
  }
}

function door({ uid }: ErasureDoc, account: "erasing" | "gone", version: number): Door {
  return { owner: uid, version, account };
}

// Users of before differ in case only: whose name it is tells.
async function keepName({ names }: ApiStore, uid: string): Promise<void> {
  for (const key of new Set([foldName(uid), uid])) {
    const kept = await names.get(key);
    const isMine = kept?.doc.kind === "user" && (kept.doc.name ?? kept.key) === uid;
    if (!isMine || kept.doc.gone) continue;
    if (!(await names.update(key, { ...kept.doc, gone: true }, kept.version)))
      throw new AppError("unavailable", "the name was changed at the same time");
  }
}
