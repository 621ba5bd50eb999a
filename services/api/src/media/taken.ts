// What was taken to be done something with: its outcome is written only while nobody else has it.
import type { ApiStore, ContentDoc } from "../store.ts";

export interface Taken {
  /** of the document */
  key: string;
  blob: string;
  task: "looked" | "scan";
  /** Whoever takes it later counts one more. */
  tries: number;
}

/** What the document says then; undefined: another one has it, or these bytes were removed and have come again. */
export async function keepOutcome(
  { contents }: Pick<ApiStore, "contents">,
  { key, blob, task, tries }: Taken,
  outcome: Pick<ContentDoc, "looked"> | Pick<ContentDoc, "scan">,
): Promise<ContentDoc | undefined> {
  for (;;) {
    const kept = await contents.get(key);
    const now = kept?.doc[task];
    if (kept?.doc.blob !== blob || now?.state !== "pending" || now.tries !== tries) return undefined;
    const doc = { ...kept.doc, ...outcome };
    if (await contents.update(key, doc, kept.version)) return doc;
  }
}
