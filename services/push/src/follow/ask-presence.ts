// How users' devices are there, asked of presence many at once.
import { type PushPresenceReply, type PushPresenceRequest, subjects } from "@parley/protocol";
import { type NatsConnection, requestJson } from "@parley/runtime";

const timeoutMs = 3_000;
const usersAtOnce = 500;

/** Throws `unavailable` when presence does not say. */
export async function askPresence(nats: NatsConnection, uids: readonly string[]): Promise<PushPresenceReply["users"]> {
  const parts: string[][] = [];
  for (let at = 0; at < uids.length; at += usersAtOnce) parts.push(uids.slice(at, at + usersAtOnce));
  const replies = await Promise.all(
    parts.map((some) => {
      const asked: PushPresenceRequest = { uids: some };
      return requestJson<PushPresenceReply>(nats, subjects.pushPresence, asked, { timeoutMs });
    }),
  );
  return Object.assign({}, ...replies.map(({ users }) => users));
}
