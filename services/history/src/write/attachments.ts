// May messages refer to the files that they do? Asked of api before their batch, of all of a group at once and only where there are any.
import { type AppendItem, type AppendOutcome, type Sendable, type SendableReply, subjects } from "@parley/protocol";
import { type Logger, type NatsConnection, requestJson, upTo } from "@parley/runtime";
import { LRUCache } from "lru-cache";
import { refusal } from "./outcome.ts";

/** Whoever sends a file again a moment later may have it still: it was asked for then. */
const kept = { ...upTo(100_000), ttl: 60_000 };
const timeoutMs = 2_000;
// While api does not answer, nobody waits for it again this long.
const pauseMs = 1_000;

export interface Attachments {
  /** undefined: nothing to ask. Else one refusal or undefined an item, in order. */
  refusals(items: readonly AppendItem[]): Promise<(AppendOutcome | undefined)[]> | undefined;
}

export function createAttachments({ nats, log }: { nats: NatsConnection; log: Logger }): Attachments {
  const sendable = new LRUCache<string, true>(kept);
  let askAgainAt = Number.NEGATIVE_INFINITY;

  async function ask(asked: readonly { file: string; uid: string }[]): Promise<Sendable[]> {
    const unknown = () => asked.map((): Sendable => "unknown");
    if (performance.now() < askAgainAt) return unknown();
    try {
      return (await requestJson<SendableReply>(nats, subjects.attachmentsSendable, { asked }, { timeoutMs })).answers;
    } catch (error) {
      askAgainAt = performance.now() + pauseMs;
      log.warn({ event: "attachments_unknown", reason: String(error) });
      return unknown();
    }
  }

  async function refusalsOf(items: readonly AppendItem[], asked: readonly AppendItem[]) {
    const pairs = new Map(asked.map(({ file = "", from: uid }) => [`${uid} ${file}`, { file, uid }]));
    const answers = await ask([...pairs.values()]);
    const found = new Map([...pairs.keys()].map((pair, index) => [pair, answers[index] ?? "unknown"]));
    for (const [pair, answer] of found) if (answer === "yes") sendable.set(pair, true);
    return items.map((item) => refusalOf(item, found.get(pairOf(item)) ?? "yes"));
  }

  return {
    refusals(items) {
      const asked = items.filter((item) => item.mustHaveFile && !sendable.has(pairOf(item)));
      return asked.length === 0 ? undefined : refusalsOf(items, asked);
    },
  };
}

function pairOf({ from, file = "" }: AppendItem): string {
  return `${from} ${file}`;
}

function refusalOf({ file, mustHaveFile }: AppendItem, answer: Sendable): AppendOutcome | undefined {
  if (!mustHaveFile || answer === "yes") return undefined;
  if (answer === "unknown") return refusal("unavailable", `whether you may send ${file} is not known now`);
  if (answer === "unfinished") return refusal("conflict", `${file} is not uploaded to its end`, { file });
  return refusal("not_found", `there is no file ${file} for you to send`, { file });
}
