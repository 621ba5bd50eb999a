// Erasures are done again that may have ended while a backup was made: it has history's messages and presence's devices of a moment
// before our documents.
import type { ApiStore } from "../store.ts";

/** Longer than a backup takes. */
const latelyMs = 6 * 3_600_000;
const pageDocuments = 200;
const noted = "erasures";

/** At a start: those that ended since the one before, or lately before that. `nowMs`: unix time. */
export async function redoErasures(
  { erasures, migrations }: Pick<ApiStore, "erasures" | "migrations">,
  nowMs: number,
): Promise<void> {
  const [latest] = (await erasures.find({ index: "done", order: "desc", limit: 1 })).items;
  const lastStart = (await migrations.get(noted))?.doc.doneAt ?? latest?.doc.doneAt ?? nowMs;
  for (let page: string | null | undefined; page !== null; ) {
    const query = { index: "done", from: lastStart - latelyMs, limit: pageDocuments };
    const found = await erasures.find(page === undefined ? query : { ...query, page });
    for (const { key, doc, version } of found.items) await erasures.update(key, { ...doc, pending: true }, version);
    page = found.next;
  }
  await migrations.put([{ key: noted, doc: { doneAt: nowMs } }]);
}
