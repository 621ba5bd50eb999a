// The topics of ASSChat's second form: what is published there, and which of them are its own.
import { isUnderPrefix } from "../../../guest-topics.ts";

/** What a device publishes: to a channel, a request to the server, how it is there itself. */
export type Topic =
  | { kind: "channel"; id: string }
  | { kind: "request"; verb: string }
  | { kind: "status"; id: string };

export function readTopic(topic: string): Topic | undefined {
  const [, verb] = /^ass\/s\/([^/]+)$/.exec(topic) ?? [];
  if (verb !== undefined) return { kind: "request", verb };
  const [, channel] = /^ch\/([^/]+)$/.exec(topic) ?? [];
  if (channel !== undefined) return { kind: "channel", id: channel };
  const [, client] = /^status\/(.+)$/.exec(topic) ?? [];
  return client === undefined ? undefined : { kind: "status", id: client };
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

/** `name`: the user or client whom a filter asks for; undefined: everybody. */
export function readStatusFilter(filter: string): { name: string | undefined } | undefined {
  const [, below = ""] = /^status\/(.+)$/.exec(withoutShare(filter)) ?? [];
  if (below === "+" || below === "#" || below === "+/#") return { name: undefined };
  const name = below.replace(/\/#$/, "");
  return name === "" || /[+#]/.test(name) ? undefined : { name };
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
