// Everything the device's cursors lack, page by page, until nothing is missing (DESIGN §4.5).
import { limits, type ParamsOf, type ResultOf, type sync } from "@parley/protocol";

export type SyncedConversation = ResultOf<typeof sync>["conversations"][number];

export interface SyncParts {
  ask(params: ParamsOf<typeof sync>): Promise<ResultOf<typeof sync>>;
  cursors(): Record<string, number>;
  apply(conversation: SyncedConversation): void;
  /** messages a conversation and page; default as many as a page may have */
  limit?: number;
}

/** Ends when `next` is null and no conversation has more, or throws what a request threw. */
export async function syncAll({ ask, cursors, apply, limit = limits.pageMessages }: SyncParts): Promise<void> {
  for (let more = true; more; ) {
    more = false;
    const asked = cursors();
    let page: string | null = null;
    do {
      const answer: ResultOf<typeof sync> = await ask({ cursors: asked, limit, ...(page === null ? {} : { page }) });
      for (const conversation of answer.conversations) {
        apply(conversation);
        // Without a message nothing would be different the next time.
        more ||= conversation.more && conversation.messages.length > 0;
      }
      page = answer.next;
    } while (page !== null);
  }
}
