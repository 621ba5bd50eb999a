// How users' devices are there, asked of presence many at once.
import { AppError, type PushPresenceReply, type PushPresenceRequest, subjects } from "@parley/protocol";
import { type NatsConnection, requestJson } from "@parley/runtime";

const timeoutMs = 3_000;
const usersAtOnce = 500;

type Users = PushPresenceReply["users"];

/** Throws `unavailable` when presence does not say. */
export function askPresence(nats: NatsConnection, uids: readonly string[]): Promise<Users> {
  return askInParts(uids, async (some) => {
    const asked: PushPresenceRequest = { uids: some };
    return (await requestJson<PushPresenceReply>(nats, subjects.pushPresence, asked, { timeoutMs })).users;
  });
}

export async function askInParts(
  uids: readonly string[],
  ask: (some: readonly string[]) => Promise<Users>,
): Promise<Users> {
  const parts: string[][] = [];
  for (let at = 0; at < uids.length; at += usersAtOnce) parts.push(uids.slice(at, at + usersAtOnce));
  const replies = await Promise.all(parts.map((some) => askSome(some, ask)));
  return together(replies);
}

// Whose devices are too many for one answer must not keep others from being told.
async function askSome(some: readonly string[], ask: (some: readonly string[]) => Promise<Users>): Promise<Users> {
  try {
    return await ask(some);
  } catch (thrown) {
    if (AppError.from(thrown).code !== "too_large") throw thrown;
    // One alone counts as one who is not there.
    if (some.length === 1) return {};
    const middle = Math.ceil(some.length / 2);
    const halves = [some.slice(0, middle), some.slice(middle)];
    return together(await Promise.all(halves.map((half) => askSome(half, ask))));
  }
}

// A user may be called `__proto__`, which an assignment would take for something else.
function together(all: readonly Users[]): Users {
  return Object.fromEntries(all.flatMap((users) => Object.entries(users)));
}
