// What a device may publish and subscribe: as its login said, else the hooks' answers, kept for as long as they said.
import { setTimeout as sleep } from "node:timers/promises";
import { isOwnInbox, isOwnUplink } from "@parley/protocol";
import { LRUCache } from "lru-cache";
import type { ISubscription } from "mqtt-packet";
import type { Version } from "../packets/packets.ts";
import { type Reason, reasons } from "../packets/reasons.ts";
import { isTopicName } from "../packets/topic.ts";
import { type HookAnswer, type HookName, type Hooks, isDecided, isRecord } from "./hooks.ts";
import { type Asker, type Publication, publishQuestion, subscribeQuestion } from "./questions.ts";

/** May it be published, and on which topic if not on its own. */
export type PublishVerdict = { allowed: true; topic?: string } | { allowed: false; reason: Reason };
/** The QoS a filter gets, or the refusing code of SUBACK (≥ 128). */
export type SubscribeVerdict = number;

export interface Decisions {
  /** The verdict about a topic, if it is known. `spelling` is the topic with one character a byte (latin1). */
  knownPublish(asker: Asker, spelling: string): PublishVerdict | undefined;
  /** undefined: nobody decided. */
  askPublish(asker: Asker, publication: Publication, patience: Patience): Promise<PublishVerdict | undefined>;
  /** One verdict a subscription, in order. undefined: nobody decided. */
  subscribe(asker: Asker, subscriptions: ISubscription[], patience: Patience): Promise<SubscribeVerdict[] | undefined>;
}

export interface Patience {
  version: Version;
  /** Asked before a question is asked again: false ends the waiting. */
  isOpen(): boolean;
}

const allowed: PublishVerdict = { allowed: true };
const refused: PublishVerdict = { allowed: false, reason: reasons.notAuthorized };

/** Between two tries while no hook decides. */
const askAgainMs = 500;

export interface DecisionsOptions {
  hooks: Hooks;
  /** bounds each of the two memories */
  maxEntries: number;
  /** how long a question that no hook decides is asked again (ms) */
  waitMs: number;
  /** An answer was taken from memory. */
  onReuse(): void;
  /** A device asked for what is not its own. */
  onForeign(hook: "publish" | "subscribe", clientId: string): void;
}

export function startDecisions({ hooks, maxEntries, waitMs, onReuse, onForeign }: DecisionsOptions): Decisions {
  const publishes = new LRUCache<string, PublishVerdict>({ max: maxEntries });
  const subscribes = new LRUCache<string, SubscribeVerdict>({ max: maxEntries });

  function isOwn(asker: Asker, hook: "publish" | "subscribe", topic: string): boolean {
    const names = { uid: asker.username ?? "", clientId: asker.clientId };
    const isTheirs = hook === "publish" ? isOwnUplink(topic, names) : isOwnInbox(topic, names);
    if (isTheirs && !(asker.expiresAt !== undefined && asker.expiresAt <= Date.now())) return true;
    onForeign(hook, asker.clientId);
    return false;
  }

  function knownPublish(asker: Asker, spelling: string): PublishVerdict | undefined {
    if (asker.hasOwnTopics) return isOwn(asker, "publish", spelling) ? allowed : refused;
    const verdict = publishes.get(keyOf(asker, spelling));
    if (verdict !== undefined) onReuse();
    return verdict;
  }

  /** What nobody decides is no refusal: the client would take it for the last word about this packet. */
  async function ask(hook: HookName, question: object, { isOpen }: Patience): Promise<HookAnswer | undefined> {
    const deadline = performance.now() + waitMs;
    for (;;) {
      const answer = await hooks.ask(hook, question);
      if (isDecided(answer)) return answer;
      if (performance.now() + askAgainMs > deadline || !isOpen()) return undefined;
      await sleep(askAgainMs);
    }
  }

  async function askPublish(asker: Asker, publication: Publication, patience: Patience) {
    const { version } = patience;
    if (asker.hasOwnTopics) return isOwn(asker, "publish", publication.topic) ? allowed : refused;
    const hook = version === 5 ? "auth_on_publish_m5" : "auth_on_publish";
    const answer = await ask(hook, publishQuestion(asker, publication, version), patience);
    if (answer === undefined) return undefined;
    const verdict = readPublishVerdict(answer);
    const spelling = Buffer.from(publication.topic).toString("latin1");
    if (answer.maxAgeSeconds > 0) publishes.set(keyOf(asker, spelling), verdict, { ttl: answer.maxAgeSeconds * 1000 });
    return verdict;
  }

  async function subscribe(asker: Asker, subscriptions: ISubscription[], patience: Patience) {
    const { version } = patience;
    if (asker.hasOwnTopics)
      return subscriptions.map((one) => atMost(one, isOwn(asker, "subscribe", one.topic) ? 2 : refusing(version)));
    const known = subscriptions.map((one) => subscribes.get(keyOf(asker, one.topic)));
    const unknown = subscriptions.filter((_, index) => known[index] === undefined);
    if (unknown.length < subscriptions.length) onReuse();
    if (unknown.length === 0) return known.map((verdict, index) => atMost(subscriptions[index]!, verdict!));
    const hook = version === 5 ? "auth_on_subscribe_m5" : "auth_on_subscribe";
    const answer = await ask(hook, subscribeQuestion(asker, unknown, version), patience);
    if (answer === undefined) return undefined;
    const answered = readSubscribeVerdicts(answer, unknown, version);
    if (answer.maxAgeSeconds > 0)
      for (const [topic, verdict] of answered)
        subscribes.set(keyOf(asker, topic), verdict, { ttl: answer.maxAgeSeconds * 1000 });
    return subscriptions.map((one, index) => atMost(one, known[index] ?? answered.get(one.topic)!));
  }

  return { knownPublish, askPublish, subscribe };
}

function keyOf(asker: Asker, topic: string): string {
  return `${asker.clientId}\n${asker.username}\n${topic}`;
}

function refusing(version: Version): SubscribeVerdict {
  return version === 5 ? 135 : 128;
}

function atMost(subscription: ISubscription, verdict: SubscribeVerdict): SubscribeVerdict {
  return verdict >= 128 ? verdict : Math.min(verdict, subscription.qos);
}

/** A modifier the edge does not know would be ignored to somebody's harm, so it is a refusal. Retain is off already. */
function readPublishVerdict(answer: HookAnswer): PublishVerdict {
  if (answer.error === "quota_exceeded") return { allowed: false, reason: reasons.quota };
  if (answer.verdict !== "ok") return refused;
  const { modifiers = {} } = answer.body;
  if (!isRecord(modifiers)) return refused;
  const { topic, retain = false, ...others } = modifiers;
  if (retain !== false || Object.keys(others).length > 0) return refused;
  if (topic === undefined) return allowed;
  return typeof topic === "string" && isTopicName(topic) ? { allowed: true, topic } : refused;
}

/** The answer may name topics with the QoS each gets; one it leaves out is refused. Kept for any QoS, so "as asked" is 2. */
function readSubscribeVerdicts(
  answer: HookAnswer,
  asked: ISubscription[],
  version: Version,
): Map<string, SubscribeVerdict> {
  const no = refusing(version);
  if (answer.verdict !== "ok") return new Map(asked.map((one) => [one.topic, no]));
  const { modifiers } = answer.body;
  const topics = answer.body.topics ?? (isRecord(modifiers) ? modifiers.topics : modifiers);
  if (topics === undefined) return new Map(asked.map((one) => [one.topic, 2]));
  const named = new Map<unknown, unknown>();
  for (const one of Array.isArray(topics) ? topics : []) if (isRecord(one)) named.set(one.topic, one.qos);
  return new Map(
    asked.map((one) => {
      const qos = named.get(one.topic);
      if (typeof qos !== "number" || qos > 2) return [one.topic, no];
      return [one.topic, qos === one.qos ? 2 : qos];
    }),
  );
}
