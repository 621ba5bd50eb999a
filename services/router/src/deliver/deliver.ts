// Step 4: a stored message to everybody whose stay holds it, in seq order per conversation as far as this router stored it.
import {
  deviceTopic,
  messagesTopic,
  namedMembers,
  parseConv,
  renderMessage,
  type ServerFields,
} from "@parley/protocol";
import type { Logger } from "@parley/runtime";
import { type CachedList, type Members, topicsFor } from "./members.ts";
import type { PublishMany } from "./publish.ts";

/** Resolves when the broker has every copy. Rejects only when the session ended: then the packet comes again. */
export type Deliver = (fields: ServerFields, body: Uint8Array, memberSeq: number) => Promise<void>;

export interface DeliverParts {
  publishMany: PublishMany;
  members: Members;
  /** shared by all partitions of this router: the last delivery under way of each conversation */
  chains: Map<string, Promise<void>>;
  log: Logger;
}

const giveUpMs = 10_000;
const pauseMs = 500;

export function createDeliver({ publishMany, members, chains, log }: DeliverParts): Deliver {
  function deliver(fields: ServerFields, body: Uint8Array, memberSeq: number): Promise<void> {
    const { conv, seq } = fields;
    const payload = renderMessage(fields, body);
    const named = namedTopics(conv);
    const before = chains.get(conv);
    if (named && !before) return publishMany(named, payload);
    const list = named ? undefined : members.listOf(conv, memberSeq);
    if (list && !(list instanceof Promise) && !before) return publishMany(topicsFor(list, seq), payload);
    return inChain(conv, before, async () => {
      const topics = named ?? (await topicsOfRoom(conv, seq, memberSeq));
      return { sent: publishMany(topics, payload) };
    });
  }

  // The next one waits until this one is on its way, not until the broker has it.
  async function inChain(
    conv: string,
    before: Promise<void> | undefined,
    send: () => Promise<{ sent: Promise<void> }>,
  ): Promise<void> {
    const started = (before ?? Promise.resolve()).then(send);
    const link = started.then(
      () => undefined,
      () => undefined,
    );
    chains.set(conv, link);
    void link.then(() => {
      if (chains.get(conv) === link) chains.delete(conv);
    });
    await (await started).sent;
  }

  async function topicsOfRoom(conv: string, seq: number, memberSeq: number): Promise<string[]> {
    const deadline = performance.now() + giveUpMs;
    for (;;) {
      try {
        const list: CachedList = await members.listOf(conv, memberSeq);
        return topicsFor(list, seq);
      } catch (error) {
        log.warn({ event: "members_unknown", conv, seq, reason: String(error) });
        // Stored and acknowledged: its members have it by sync. Nobody blocks a partition for longer.
        if (performance.now() >= deadline) return [];
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    }
  }

  return deliver;
}

// Where the conversation's name says who takes part; a message to one device goes to that device and to the sender's.
function namedTopics(conv: string): string[] | undefined {
  const parsed = parseConv(conv);
  if (parsed?.kind === "dev") return [deviceTopic(parsed.uid, parsed.clientId), messagesTopic(parsed.from)];
  return parsed && namedMembers(parsed)?.map(messagesTopic);
}
