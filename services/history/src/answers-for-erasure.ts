// What history answers to an erasure, as any replica.
import type { JetStreamManager } from "@nats-io/jetstream";
import { subjects } from "@parley/protocol";
import type { Serve } from "./answers-for-search.ts";
import { conversationsOf, eraseUser } from "./erase/erase-user.ts";
import type { HistoryStore } from "./keep/store.ts";
import { type HeirsRequest, heirsOf } from "./read/files.ts";

export function serveErasure<Served>(
  parts: { store: HistoryStore; manager: JetStreamManager },
  serve: Serve<Served>,
): Served[] {
  return [
    serve(subjects.attachmentHeirs, async (asked: HeirsRequest) =>
      JSON.stringify({ heirs: await heirsOf(parts.store, asked) }),
    ),
    serve(subjects.conversationsOf, async ({ uid }: { uid: string }) =>
      JSON.stringify({ convs: await conversationsOf(parts, uid) }),
    ),
    serve(subjects.eraseUser, async ({ uid }: { uid: string }) => JSON.stringify(await eraseUser(parts, uid))),
  ];
}
