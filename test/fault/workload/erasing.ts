// One who stays, and users beside it who come, write with it and have their accounts erased while they write.
import { callHttp } from "@parley/client";
import {
  conversationsList,
  historyGet,
  keysCreate,
  type Method,
  type ParamsOf,
  p2pConv,
  profileUpdate,
  type ResultOf,
  roomConv,
  roomsInvite,
  rosterAdd,
  searchMessages,
  sync,
  usersAccount,
  usersCreate,
  usersGet,
  usersLogin,
  usersRemove,
} from "@parley/protocol";
import type { Cluster } from "@parley/testkit";
import type { Erasing, Leaver, Remains, Said } from "../checker/record.ts";
import type { Random } from "../seeded.ts";
import { makePeople, patiently } from "./people.ts";
import { remainsOf } from "./remains.ts";
import { type Speaking, startSpeaking } from "./speaking.ts";
import { wait } from "./wait.ts";

export interface Leaving {
  unanswered(): number;
  /** The last one is removed; resolves when all are erased, or not within four minutes. */
  finish(): Promise<void>;
  stopNew(): void;
  record(): Promise<Erasing>;
  stop(): void;
  close(): Promise<void>;
}

const sayEveryMs = 150;
/** What is answered to who is erased, and about it. */
const final = ["not_found", "not_member", "forbidden", "unauthenticated"];
const stayMs = 4_000;
/** It goes on writing for so long once its removal is answered. */
const afterwardsMs = 1_500;
/** Once nothing bad happens any more. */
const erasedWithinMs = 240_000;
const askEveryMs = 500;
/** Whichever replica answers: each has its chance. */
const readings = 3;

type Call = <M extends Method>(
  method: M,
  params: ParamsOf<M>,
  options?: { key?: string; as?: string },
) => Promise<ResultOf<M>>;

export async function startErasing(cluster: Cluster, name: string, random: Random): Promise<Leaving> {
  const base = cluster.run().http;
  const people = await makePeople(cluster, `${name}gone-`, 1);
  const [stays = ""] = people.uids;
  const room = `${name}gone--all`;
  const { token } = await people.login(stays, "http");
  const { key } = await patiently(() => callHttp(base, keysCreate, { name }, { token: cluster.servicesSecret }));
  const call: Call = (method, params, { key: idempotencyKey, as = token } = {}) => {
    const options = { token: as, ...(idempotencyKey === undefined ? {} : { idempotencyKey }) };
    return patiently(() => callHttp(base, method, params, options));
  };
  let latest = stays;
  const say = (data: string, n: number) => ({
    to: n % 2 === 0 ? `room/${room}` : `user/${latest}`,
    content: { type: "text", data },
  });
  const speaking = await startSpeaking({
    session: await people.login(stays, "phone"),
    everyMs: sayEveryMs,
    final,
    say,
  });
  const leavers: Leaver[] = [];
  const refused: string[] = [];
  const pending: Promise<void>[] = [];
  const devices = new Set<Speaking>();
  const stopping = new AbortController();
  let lastLook = Number.POSITIVE_INFINITY;

  async function come(): Promise<{ leaver: Leaver; device: Speaking }> {
    const uid = `${name}leaves-${leavers.length}`;
    const mark = `of-${uid}-${random.below(1e9)}`;
    await call(usersCreate, { uid, name: mark }, { key: `user-${uid}`, as: key });
    const session = await call(usersLogin, { uid, device: "phone" }, { as: key });
    await call(profileUpdate, { nick: mark, status: mark }, { key: `profile-${uid}`, as: session.token });
    await call(roomsInvite, { id: room, uids: [uid] }, { key: `invite-${uid}` });
    await call(rosterAdd, { id: uid, note: "leaves soon" }, { key: `roster-${uid}` });
    const own = (id: string, n: number) => ({
      to: n % 2 === 0 ? `room/${room}` : `user/${stays}`,
      content: { type: "text", data: `${mark} ${id}` },
    });
    const device = await startSpeaking({ session, everyMs: sayEveryMs, final, say: own });
    const leaver: Leaver = { uid, mark, said: device.said, removedAt: undefined, erasedAt: undefined };
    leavers.push(leaver);
    devices.add(device);
    latest = uid;
    return { leaver, device };
  }

  async function goAway({ leaver, device }: { leaver: Leaver; device: Speaking }): Promise<void> {
    const { uid } = leaver;
    await call(usersRemove, { uid }, { key: `erase-${uid}`, as: key });
    leaver.removedAt = performance.now();
    if (latest === uid) latest = stays;
    pending.push(untilErased(leaver).catch((error: Error) => void refused.push(`${uid}: ${error.message}`)));
    await wait(afterwardsMs, stopping.signal);
    device.stop();
    devices.delete(device);
    await device.close();
  }

  async function untilErased(leaver: Leaver): Promise<void> {
    while (performance.now() < lastLook) {
      const { state } = await call(usersAccount, { uid: leaver.uid }, { as: key });
      if (state === "erased") leaver.erasedAt = performance.now();
      if (state === "erased") return;
      await wait(askEveryMs, new AbortController().signal);
    }
  }

  const comeAndGo = async () => {
    while (!stopping.signal.aborted) {
      const one = await come();
      await wait(stayMs + random.below(stayMs), stopping.signal);
      await goAway(one);
    }
  };
  const done = comeAndGo().catch((error: Error) => void refused.push(error.message));
  return {
    unanswered: () => speaking.unanswered(),
    async finish() {
      stopping.abort();
      await done;
      lastLook = performance.now() + erasedWithinMs;
      await Promise.all(pending);
    },
    stopNew: () => speaking.stopNew(),
    async record() {
      const convs = [roomConv(room), ...leavers.map(({ uid }) => p2pConv(uid, stays))];
      const read = await readErased(call, convs, leavers);
      return { leavers, said: speaking.said.filter(isKept), refused, ...read };
    },
    stop() {
      stopping.abort();
      lastLook = 0;
      for (const one of [speaking, ...devices]) one.stop();
    },
    async close() {
      await Promise.all([speaking, ...devices].map((one) => one.close()));
    },
  };
}

// A message to somebody who is removed is refused or not: only what was acknowledged is promised.
function isKept({ place }: Said): boolean {
  return place !== undefined;
}

async function readErased(
  call: Call,
  convs: readonly string[],
  leavers: readonly Leaver[],
): Promise<Pick<Erasing, "readings" | "answers">> {
  const read: Erasing["readings"][number][] = [];
  const answers: Erasing["answers"][number][] = [];
  const keep = <T>(what: string, answer: T): T => {
    answers.push({ what, text: JSON.stringify(answer) });
    return answer;
  };
  for (let count = 0; count < readings; count++) {
    for (const conv of convs) {
      const messages: Remains[] = [];
      for (let more = true; more; ) {
        const after = messages.at(-1)?.seq ?? 0;
        const page = keep(`history.get of ${conv}`, await call(historyGet, { conv, after, limit: 500 }));
        messages.push(...page.messages.map(remainsOf));
        more = page.more;
      }
      read.push({ what: "history.get", conv, messages });
    }
    keep("sync", await call(sync, { cursors: {}, all: true, limit: 500 }));
    keep("conversations.list", await call(conversationsList, { limit: 1_000 }));
    for (const { mark } of leavers)
      keep("search.messages", (await call(searchMessages, { query: `"${mark}"`, limit: 100 })).results);
  }
  for (const { uid } of leavers) {
    const profile = await call(usersGet, { uid }).catch((error: Error) => error.message);
    keep(`users.get of ${uid}`, profile);
  }
  return { readings: read, answers };
}
