// The topics of ASSChat's second form: what is published there, and which of them are its own.
import { isUnderPrefix } from "../../../guest-topics.ts";

/** What a device publishes: to a channel, a request to the server, how it is there itself. */
export type Topic =
  | { kind: "channel"; id: string }
  | { kind: "request"; verb: string }
  | { kind: "status"; id: string };

const kinds = { ch: "channel", status: "status" } as const;

export function readTopic(topic: string): Topic | undefined {
  const [, verb] = /^ass\/s\/([^/]+)$/.exec(topic) ?? [];
  if (verb !== undefined) return { kind: "request", verb };
  const [, first = "", id = ""] = /^(ch|status)\/([^/]+)$/.exec(topic) ?? [];
  return id === "" ? undefined : { kind: kinds[first as keyof typeof kinds], id };
}

export function channelTopic(chId: string): string {
  return `ch/${chId}`;
}

/** Answers to requests, and what happened to channels. */
export function answersTopic(clientId: string): string {
  return `ass/c/${clientId}`;
}

/** `name`: of a user or a client */
export function statusTopic(name: string): string {
  return `status/${name}`;
}

/** `user`: whom a filter asks for, by its id or a client's; undefined: everybody. */
export function readStatusFilter(filter: string): { user: string | undefined } | undefined {
  const [, name, below] = /^status\/([^/]+)(\/#)?$/.exec(withoutShare(filter)) ?? [];
  if (name === undefined) return undefined;
  const isEverybody = name === "+" || (name === "#" && below === undefined);
  return { user: isEverybody ? undefined : name };
}

// mqtt-chat has two topics of two levels, which may be those of somebody called so.
const own = /^(?:ass\/[cs]\/.|(?:ch|status)\/(?!(?:message|chatstate)$)[^/]+(?:\/#)?$)/s;

/** A topic or filter of this form; guests may have a prefix that is spelled so. */
export function isOfSecondForm(topicOrFilter: string, guestPrefixes: readonly string[]): boolean {
  const topic = withoutShare(topicOrFilter);
  if (!own.test(topic)) return false;
  const plain = topic.replace(/[+#]/g, "x");
  return !guestPrefixes.some((prefix) => prefix !== "" && isUnderPrefix(plain, prefix));
}

function withoutShare(filter: string): string {
  return filter.replace(/^\$share\/[^/]+\//, "");
}
