// Topics of mqtt-chat: `{id}/{suffix}`, the id of a user or a group. A suffix says which packet it is; most have a long spelling,
// of the protocol's page, and a short one, of its programs: they mean the same.

export interface Topic {
  id: string;
  suffix: string;
}

/** A topic that was published, taken apart at its first `/`. */
export function splitTopic(topic: string): Topic | undefined {
  const slash = topic.indexOf("/");
  return slash < 1 ? undefined : { id: topic.slice(0, slash), suffix: topic.slice(slash + 1) };
}

const ownTopic = /^[^/#]+\/(?:(?:[osg]|others|self)\/.|(?:message|chatstate)$)/s;

/** A topic or filter of this protocol, whoever's it is. */
export function isOfMqttChat(topic: string): boolean {
  return ownTopic.test(withoutShare(topic));
}

/** What a filter asks for. */
export interface Filter {
  /** undefined: everybody's and every group's */
  id: string | undefined;
  /** The first of the suffixes that it matches. */
  match(suffixes: readonly string[]): string | undefined;
}

export function readFilter(filter: string): Filter {
  const [first = "", ...rest] = withoutShare(filter).split("/");
  const all = first === "#";
  return {
    id: all || first === "+" ? undefined : first,
    match: (suffixes) => suffixes.find((suffix) => all || matchesLevels(rest, suffix.split("/"))),
  };
}

function matchesLevels(filter: readonly string[], levels: readonly string[]): boolean {
  const rest = filter.indexOf("#");
  const fixed = rest < 0 ? filter : filter.slice(0, rest);
  if (rest < 0 ? fixed.length !== levels.length : fixed.length > levels.length) return false;
  return fixed.every((level, at) => level === "+" || level === levels[at]);
}

function withoutShare(filter: string): string {
  return filter.replace(/^\$share\/[^/]+\//, "");
}

/** In the first spelling that the device subscribed; where it subscribed none, in the first of all. */
export function topicFor(device: { hears(topic: string): boolean }, id: string, suffixes: readonly string[]): string {
  const spellings = suffixes.map((suffix) => `${id}/${suffix}`);
  return spellings.find((topic) => device.hears(topic)) ?? (spellings[0] as string);
}
