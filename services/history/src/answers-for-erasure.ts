// What history answers to an erasure, as any replica.
import type { JetStreamManager } from "@nats-io/jetstream";
import { type EraseUserRequest, type HeirsRequest, subjects } from "@parley/protocol";
import type { Serve } from "./answers-for-search.ts";
import { conversationsOf, eraseUser } from "./erase/erase-user.ts";
import type { HistoryStore } from "./keep/store.ts";
import { heirsOf } from "./read/files.ts";
import { type ReadTurns, readFor } from "./read/turns.ts";

export function serveErasure<Served>(
  parts: { store: HistoryStore; manager: JetStreamManager },
  turns: ReadTurns,
  serve: Serve<Served>,
): Served[] {
  return [
    serve(subjects.attachmentHeirs, (asked: HeirsRequest) =>
      readFor(turns, asked.owner, async () => JSON.stringify(await heirsOf(parts.store, asked))),
    ),
    serve(subjects.conversationsOf, async ({ uid }: { uid: string }) =>
      JSON.stringify({ convs: await conversationsOf(parts, uid) }),
    ),
    serve(subjects.eraseUser, async (asked: EraseUserRequest) => JSON.stringify(await eraseUser(parts, asked))),
  ];
}
