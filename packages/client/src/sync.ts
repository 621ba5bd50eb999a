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
    let page: Promise<ResultOf<typeof sync>> | undefined = ask({ cursors: asked, limit });
    while (page) {
      const { conversations, next }: ResultOf<typeof sync> = await page;
      // The server works on the next page while this one is shown.
      page = next === null ? undefined : ask({ cursors: asked, limit, page: next });
      page?.catch(() => {});
      for (const conversation of conversations) {
        apply(conversation);
        // Without a message nothing would be different the next time.
        more ||= conversation.more && conversation.messages.length > 0;
      }
    }
  }
}
