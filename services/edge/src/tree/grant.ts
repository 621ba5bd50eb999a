// A device's own tree, as the answer of auth_on_register grants it.
import { parseMountpoint } from "@parley/protocol";
import { isTopicName } from "../packets/topic.ts";

export interface TreeGrant {
  /** stands before its filters at the broker */
  mountpoint: string;
  /** It does not subscribe: the edge does, all of its tree. */
  subscribesAll: boolean;
  /** what its session had subscribed before this connection, as the device wrote it; undefined: nobody says */
  filters: readonly string[] | undefined;
  /** nothing is remembered of the device: its session ends with the connection, whatever it asks for */
  isEphemeral: boolean;
}

/** `mountpoint`: of the answer's modifiers; `answer`: its body. undefined: that is no tree's. */
export function readGrant(mountpoint: string, answer: Record<string, unknown>): TreeGrant | undefined {
  if (parseMountpoint(mountpoint) === undefined || !isTopicName(mountpoint)) return undefined;
  const { subscribe_all: subscribesAll = false, ephemeral: isEphemeral = false, filters } = answer;
  if (typeof subscribesAll !== "boolean" || typeof isEphemeral !== "boolean") return undefined;
  const isList = Array.isArray(filters) && filters.every((one) => typeof one === "string");
  return { mountpoint, subscribesAll, filters: isList ? filters : undefined, isEphemeral };
}
