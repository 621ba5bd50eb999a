// Which topic a device's Topic Alias stands for [MQTT5 3.3.2.3.4]. The broker never sees an alias: a refused publish would
// leave it without the topic that the next one means.
import { type Reason, reasons } from "./reasons.ts";

/** What CONNACK offers. */
export const topicAliasMaximum = 10;
/** Longer topics belong to nobody here; a device shall not make the edge keep them. */
const keptTopicMax = 1024;

export type TopicAliases = Map<number, string>;

/** The topic meant: `named`, which from now on has this alias, or if that is empty the one that has it. */
export function topicByAlias(aliases: TopicAliases, alias: number, named: string): string | Reason {
  if (alias === 0 || alias > topicAliasMaximum) return reasons.topicAliasInvalid;
  if (named === "") return aliases.get(alias) ?? reasons.protocolError;
  if (named.length > keptTopicMax) aliases.delete(alias);
  else aliases.set(alias, named);
  return named;
}
