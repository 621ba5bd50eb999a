// One append request to one history replica: how groups share it, and what became of each.
import {
  AppError,
  type AppendGroup,
  type AppendOutcome,
  historySubject,
  limits,
  packAppendRequest,
  unpackAppendReply,
} from "@parley/protocol";
import { type Logger, type NatsConnection, readJsonAnswer, request } from "@parley/runtime";
import type { Room } from "./lane.ts";

/**
 * The outcomes of a group; or what to do with it. `elsewhere`: the replica does not hold it (any more), ask the leases.
 * `again`: the outcome is unknown, and this is why, where history says. `internal`: something in it cannot be stored.
 */
export type GroupAnswer = AppendOutcome[] | "elsewhere" | "internal" | { again: string | undefined };
export type AskHistory = (holder: string, groups: readonly AppendGroup[]) => Promise<GroupAnswer[]>;

const timeoutMs = 3_000;
const room: Room = { messages: limits.batchMessages, bytes: limits.requestBytes - limits.appendHeaderBytes };

/** Fills requests with the groups of lanes, in the order of the lanes, within a request's limits. */
export function groupsOfRequest<Lane, Waiting extends { bytes: number }>(
  lanes: readonly Lane[],
  next: (lane: Lane, room: Room) => Waiting[] | undefined,
): { lane: Lane; group: Waiting[] }[][] {
  const requests: { lane: Lane; group: Waiting[] }[][] = [];
  let left = { ...room };
  for (const lane of lanes) {
    let group = requests.length > 0 ? next(lane, left) : undefined;
    if (!group) {
      left = { ...room };
      group = next(lane, left);
      if (!group) continue;
      requests.push([]);
    }
    left = {
      messages: left.messages - group.length,
      bytes: left.bytes - group.reduce((sum, { bytes }) => sum + bytes, 0),
    };
    requests.at(-1)?.push({ lane, group });
  }
  return requests;
}

/** Asks over NATS. Never rejects. */
export function createAskHistory(nats: NatsConnection, log: Logger): AskHistory {
  return async (holder, groups) => {
    try {
      const reply = await request(nats, historySubject("append", holder), packAppendRequest(groups), { timeoutMs });
      // A request that history did not take at all is answered as JSON.
      if (reply[0] === "{".charCodeAt(0)) readJsonAnswer(reply);
      const answers = unpackAppendReply(reply);
      return groups.map(({ items }, index): GroupAnswer => {
        const answer = answers[index];
        if (!answer) return { again: undefined };
        if (!("failed" in answer))
          return answer.outcomes.length === items.length ? answer.outcomes : { again: undefined };
        if (answer.failed === "internal") return "internal";
        return answer.failed === "not_mine" ? "elsewhere" : { again: answer.message };
      });
    } catch (thrown) {
      const error = AppError.from(thrown);
      log.warn({
        event: "append_unanswered",
        holder,
        groups: groups.length,
        reason: error.details?.reason ?? error.message,
      });
      return groups.map((): GroupAnswer => (error.code === "unavailable" ? "elsewhere" : "internal"));
    }
  };
}
