import assert from "node:assert/strict";
import { test } from "node:test";
import type { Tree } from "@parley/protocol";
import type { Dialect, Said } from "@parley/protocol/dialects";
import { readFilters } from "./filters.ts";
import { createTelling } from "./telling.ts";

const conv = "room/tea";
const message = (seq: number, kind: string) => ({
  ...{ conv, seq, from: "bob", device: "bob:web", ts: seq, id: `m${seq}`, to: conv, content: { type: kind } },
});

/** A device whose dialect says each content type on a topic of its own, and a history of what was offered to it. */
const device = (...filters: string[]) => deviceOf({ echoes: true }, ...filters);

function deviceOf(dialect: Partial<Dialect>, ...filters: string[]) {
  const tree: Tree = {
    ...{ p: "0", owner: "user", uid: "jack", clientId: "jack", accounts: ["jack"], persistent: true, connectedAt: 1 },
    ...{ filters, version: 1 },
  };
  const history: ReturnType<typeof message>[] = [];
  const sent: number[] = [];
  const moved: number[] = [];
  let rendering: Promise<void> = Promise.resolve();
  const speaker = {
    async take() {},
    async render(packet: object) {
      const { content, seq } = packet as ReturnType<typeof message>;
      await rendering;
      return content === undefined || content.type === "nothing"
        ? []
        : [{ topic: `tea/${content.type}`, payload: String(seq) }];
    },
  };
  const tellAll = async (after: number, before: number, tell: (one: never) => Promise<unknown> | undefined) => {
    for (const one of history) if (one.seq > after && one.seq < before) await tell(one as never);
  };
  const telling = createTelling({
    tree,
    voice: () => ({ dialect: dialect as Dialect, speaker }),
    filters: () => readFilters(tree.filters),
    publish: async ({ topic, payload }: Said) =>
      void sent.push(topic.startsWith("im/") ? JSON.parse(`${payload}`).id : Number(payload)),
    catchUp: Object.assign(
      ({ shown, tell }: { shown: Map<string, number>; tell: (one: never) => Promise<unknown> | undefined }) =>
        tellAll(shown.get(conv) ?? 0, Number.POSITIVE_INFINITY, tell),
      {
        begin: async () => undefined,
        between: ({
          after,
          before,
          tell,
        }: {
          after: number;
          before: number;
          tell: (one: never) => Promise<unknown> | undefined;
        }) => tellAll(after, before, tell),
      },
    ),
    moved: (_, seq) => void moved.push(seq),
    log: console as never,
  });
  /** It comes here when what is returned is called. */
  function store(kind: string): () => Promise<void> {
    const one = message(history.length + 1, kind);
    history.push(one);
    return async () => void (await telling.show({ packet: one, channel: "m" }));
  }

  return {
    ...{ sent, moved },
    renderWith: (wait: Promise<void>) => {
      rendering = wait;
    },
    async offer(...kinds: string[]) {
      for (const kind of kinds) await store(kind)();
    },
    store,
    /** Stored, and lost on the way here. */
    lose: (kind: string) => void store(kind),
    lookAgain: telling.lookAgain,
    answer: (id: number) => telling.show({ packet: { type: "result", id }, channel: "d" }),
    close: telling.close,
    /** As a desk does it; what was missed is read when the line comes to it. */
    subscribe(filter: string): () => Promise<void> {
      tree.filters = [...tree.filters, filter];
      telling.listenAgain();
      return telling.catchUp;
    },
  };
}

test("what a device has no filter for is passed over, and what else comes in the conversation is sent", async () => {
  const { offer, sent, moved } = device("tea/text");
  await offer("text", "call", "text", "call", "call", "text");
  assert.deepEqual(sent, [1, 3, 6]);
  assert.deepEqual(moved, [1, 3, 6]);
});

test("a device that subscribes is sent what it was not, behind the last one that it was sent", async () => {
  const { offer, sent, moved, subscribe } = device("tea/text");
  await offer("call", "text", "call", "nothing", "call");
  assert.deepEqual(moved, [2], "what nothing is said of lies behind what waits for a filter");
  await subscribe("tea/call")();
  await offer("text", "call");
  assert.deepEqual(sent, [2, 3, 5, 6, 7]);
});

test("a conversation that a device has no filter for at all waits for one", async () => {
  const { offer, sent, moved, subscribe } = device("other/text");
  await offer("text", "call", "text");
  assert.deepEqual([sent, moved], [[], []]);
  await subscribe("tea/#")();
  assert.deepEqual(sent, [1, 2, 3]);
});

test("a filter that comes while something is said loses nothing, and nothing comes twice", async () => {
  const { offer, sent, subscribe, renderWith } = device("other/text");
  await offer("text", "text");
  const { promise, resolve } = Promise.withResolvers<void>();
  renderWith(promise);
  const third = offer("text");
  const catchUp = subscribe("tea/#");
  resolve();
  await third;
  assert.deepEqual(sent, [], "the third would overtake those before it");
  await catchUp();
  assert.deepEqual(sent, [1, 2, 3]);
});

test("who hears rooms while it subscribes is told nothing of before, though the event that opened the room comes late", async () => {
  const live: Partial<Dialect> = { live: { topicOf: (of) => of, mayHear: () => true } };
  const { offer, store, lose, sent } = deviceOf(live, "tea/text");
  const opening = store("nothing");
  lose("text");
  await opening();
  await offer("text");
  lose("text");
  await offer("text");
  assert.deepEqual(sent, [3, 4, 5], "what is lost after it heard something is read again");
});

test("a look again tells what was lost on the way, once, and nothing of what there is no filter for", async () => {
  const { offer, lose, lookAgain, sent, subscribe } = device("tea/text");
  await offer("text", "call");
  lose("text");
  lose("call");
  await lookAgain();
  await lookAgain();
  assert.deepEqual(sent, [1, 3]);
  await subscribe("tea/call")();
  assert.deepEqual(sent, [1, 3, 4], "the first call lies before what was sent");
});

test("a desk that is closed while it tells what was missed tells no more of it: the next one of the device does", async () => {
  const { offer, sent, renderWith, subscribe, close } = device("tea/text");
  await offer("text", "call", "call");
  const wait = Promise.withResolvers<void>();
  renderWith(wait.promise);
  const told = subscribe("tea/call")();
  close();
  wait.resolve();
  await assert.rejects(told, { code: "unavailable" });
  assert.deepEqual(sent, [1]);
});

test("the answer to a native request is sent also where the filter for it is not known yet, and not to who hears all of its tree", async () => {
  for (const [filters, heard] of [
    [["tea/text"], [7]],
    [["tea/text", "im/dn/jack/d/jack"], [7]],
    [["#"], []],
  ] as const) {
    const { answer, sent } = device(...filters);
    await answer(7);
    assert.deepEqual(sent, heard, `${filters}`);
  }
});
