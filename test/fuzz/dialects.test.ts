// Dialects are given packets that are nearly right, and as many to tell: nothing fails. FUZZ_PACKETS is how many, FUZZ_SEED which.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { AppError, checkMessage, decodeObject, refuseContent, type Tree } from "@parley/protocol";
import {
  type Dialect,
  type Downlink,
  dialects,
  type Outgoing,
  type Parley,
  type PublishedProperties,
  type Said,
} from "@parley/protocol/dialects";
import { pointsAt, textOf, type Worded } from "../../packages/protocol/src/dialects/words.ts";
import { mutateBytes, mutateObject, mutateTopic, oneOf, type Random, seeded } from "./mutate.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** packets after which a speaker remembers about as much as it ever does, and of what it may grow behind that */
const warmUp = 1_000;
const grownMax = 4 * 1024 * 1024;

const packets = Number(process.env.FUZZ_PACKETS ?? 100_000);
const seed = Number(process.env.FUZZ_SEED ?? 1);

interface Seeds {
  topics: string[];
  packets: object[];
  /** those that are no JSON */
  bytes?: Uint8Array[];
  /** of MQTT 5, and nearly right too */
  userProperties?: [string, string][][];
}

/** What programs of chat sent, as Erlang's terms. */
const terms = ["devices.tsv", "erlang.tsv"].flatMap((file) =>
  readFileSync(new URL(`../../packages/protocol/fixtures/chat/${file}`, import.meta.url), "utf8")
    .split("\n")
    .filter((line) => /\bup\b/.test(line.split("\t")[0] ?? ""))
    .flatMap((line) => /\t(83[0-9a-f]+)/.exec(line)?.[1] ?? [])
    .map((hex) => Buffer.from(hex, "hex")),
);

const seeds: Record<string, Seeds> = {
  slimchat: {
    topics: [
      "$IM/user/bob",
      "IM/user/jack",
      "$IM/user/bob/client/c2",
      "$IM/room/tea",
      "$IM/node/door",
      "$IM/domain/d/user/b",
    ],
    packets: [
      { id: "m1", from: "uid:1", to: "vid:1", type: "chat", thread: "t", content: { type: "text", data: "hi" }, ts: 1 },
      { id: "m2", content: { type: "image", data: "/attachements/f-1" } },
      { id: "m3", type: "event", content: { type: "event", data: { event: "receipt", delivered: 3, read: 2 } } },
      { id: "m4", content: { type: "reaction", seq: 3, data: "👍" } },
      { id: "jack", from: "jack", type: "online", show: "online", status: "I am online", vcard: { tel: "1" } },
      { type: "subscribe", to: "bob" },
    ],
  },
  "mqtt-chat": {
    topics: [
      "bob/o/m",
      "bob/others/messages",
      "tea/g/m",
      "tea/g/e",
      "tea/g/p",
      "jack/s/l",
      "jack/s/p",
      "bob/o/c",
      "bob/o/d",
    ].concat(["bob/o/i", "bob/o/l", "bob/message", "bob/chatstate"]),
    packets: [
      { m: "hi", i: "m1", s: "jack", c: "TEXT", d: true },
      { m: '{"url":"https://media.example/a.png"}', i: 12, s: "jack", c: "IMAGE" },
      { m: ["jack", "bob"] },
      { name: "Tea", image: "", message: "", senderId: "jack" },
      { i: "m1", c: "COMPOSING" },
      { id: "m1", chatStateValues: "PAUSED" },
      { i: "bob", m: "offer", s: "jack", c: "CALL", t: 1 },
      { name: "Tea", image: "", groupId: "tea" },
    ],
  },
  chatroom: {
    topics: ["chat", "chat/tea", "test/"],
    packets: [
      { type: "message", from: "chat", message: "hi" },
      { type: "notice", from: "chat", notice: "User chat is now subscribed to chat ." },
      { type: "info", from: null, notice: "x", message: 7 },
    ],
  },
};

seeds.chat = {
  topics: ["events/1//api/anon//", "events/1/3/chat/anon/emqttd_b3u3/t0k3n", "p2p/jack/bob", "room/tea", "version/10"],
  packets: [
    { tup: "Roster", id: 1, status: "get" },
    { tup: "Message", feed_id: { tup: "p2p", from: "jack", to: "bob" }, files: [{ tup: "Desc", payload: "hi" }] },
    { tup: "Friend", phone_id: "jack", friend_id: "bob", status: "request" },
  ],
  bytes: terms,
};

seeds.asschat = {
  topics: ["ass/msg/$tea", "ass/cmd/create", "ass/cmd/add", "ass/cmd/remove", "ass/cmd/delete", "ass/ack"],
  packets: [{ plain: "hi" }],
  userProperties: [
    [
      ["CHID", "$tea"],
      ["EP", "user/bob;read"],
      ["EP", "jack:pc"],
      ["Mode", "read-write"],
      ["MaxWriteSpeed", "5"],
    ],
    [["CHID", "$tea"]],
    [
      ["Id", "m1"],
      ["Edit", "3"],
      ["Reply", "2"],
      ["1", "one"],
    ],
  ],
};

const request = { req_id: "5b18b249bc09", want_reply: true, notify_change: true };

seeds["asschat-json"] = {
  topics: ["ch/tea", "ch/$tea", "ass/s/ch_search", "ass/s/ch_users_search", "status/c1"].concat(
    ["create", "delete", "users_update", "users_delete"].map((verb) => `ass/s/ch_${verb}`),
  ),
  packets: [
    { msg: "hello?", type: "image", file: "https://example/image.jpg" },
    { msg: "hi", push: { sound: "bingbong.aiff", "@": "except(all(), 'bob'), 'jack'" } },
    { ...request, ch_id: "tea", ch_name: "Tea", users: [{ user_id: "bob", mode: 7 }], persis: true },
    { ...request, ch_id: "tea", users: ["bob", "jack"] },
    { ...request, query: "or(eq('ch_id', 'ch1'), and(expr('ch_name', '^A.*Team$'), cs('users', ['bob'])))" },
    { ...request, ch_id: "tea" },
  ],
  bytes: ["online", '"offline"', "no JSON", "[1,null,{}]"].map((text) => Buffer.from(text)),
};

const place = { seq: 3, from: "bob", device: "bob:web", ts: 1_795_240_386_143, id: "m" };
const inRoom = { ...place, conv: "room/tea", to: "room/tea", type: "grpchat" };
const about = { seq: 3, data: "👍" };
const told: (Downlink & { content: { type: string } & Record<string, unknown> })[] = [
  { ...place, conv: "p2p/bob/jack", to: "user/jack", type: "chat", content: { type: "text", data: "hi" } },
  { ...inRoom, content: { type: "image", file: `f-${"a".repeat(32)}`, name: "cat.png", size: 5, data: "my cat" } },
  { ...inRoom, content: { type: "event", data: { event: "join", by: "bob", uids: ["bob"], members: 2 } } },
  { ...inRoom, content: { type: "poll", question: "Where to?", options: ["Berlin", "Paris"] } },
  ...["reaction", "edit", "recall", "vote", "close", "x-mine"].map((type) => ({
    ...inRoom,
    content: { type, ...about },
  })),
  { ...inRoom, content: { type: "call", media: "audio", outcome: "answered", durationMs: 5 } },
];

const tree: Tree = {
  ...{ p: "0", owner: "user", uid: "jack", clientId: "c1", accounts: ["jack"], persistent: true, connectedAt: 1 },
  ...{ filters: ["#"], version: 1 },
};

const bytesOf = (value: unknown) => new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));

/** A port that refuses what routers refuse, and has nothing to answer. */
function openPort(said: Said[], onSend: () => void = () => {}): Parley {
  return {
    publicUrl: "https://chat.example",
    guests: [{ name: "chat", prefix: "chat" }],
    isUserName: async (name) => name === "bob",
    send: async (message: Outgoing) => {
      onSend();
      const parsed = decodeObject(bytesOf(message));
      if (parsed instanceof AppError) return parsed;
      const checked = checkMessage(parsed);
      if (checked instanceof AppError) return checked;
      return refuseContent(checked) ?? { id: checked.id ?? "made", conv: "p2p/bob/jack", seq: 1, ts: 1 };
    },
    call: () => Promise.reject(new AppError("not_found")),
    receipt: async () => undefined,
    typing: async () => undefined,
    state: async () => undefined,
    say: async (one) => void said.push(one),
    hears: () => true,
    marks: { read: async () => new Map(), move: () => undefined, kept: async () => undefined },
    wasTold: () => true,
    renewToken: async () => "t0k3n",
  };
}

function nextPacket({ topics, packets: objects, bytes = [] }: Seeds, random: Random) {
  const topic = oneOf(random, topics);
  if (bytes.length > 0 && random() < 0.8) {
    const payload = mutateBytes(oneOf(random, bytes), random);
    return { topic: random() < 0.3 ? mutateTopic(topic, random) : topic, payload };
  }
  const object = oneOf(random, objects);
  const kind = random();
  const mutated = kind < 0.6 ? bytesOf(mutateObject(object, random)) : mutateBytes(bytesOf(object), random);
  return { topic: random() < 0.3 ? mutateTopic(topic, random) : topic, payload: mutated };
}

function nextProperties({ userProperties = [] }: Seeds, random: Random): PublishedProperties {
  if (userProperties.length === 0) return {};
  const pairs = oneOf(random, userProperties).map(([name, value]): [string, string] => {
    const text = random() < 0.2 ? Buffer.from(mutateBytes(bytesOf(value), random)).toString() : value;
    return [random() < 0.05 ? "EP" : name, text.replaceAll("\ufffd", "")];
  });
  const correlationData = bytesOf(oneOf(random, ["1.0 $tea", "c-1", "3.0 $p-x"]));
  return { userProperties: pairs, ...(random() < 0.7 ? { correlationData } : {}) };
}

/** `words`: what was said or asked for; `grown`: by how many bytes a speaker that is warm has grown. */
async function feed(dialect: Dialect, random: Random): Promise<{ words: number; grown: number }> {
  const said: Said[] = [];
  let words = 0;
  const port = openPort(said, () => {
    words += 1;
  });
  const speaker = dialect.open(structuredClone(tree), port);
  let warm = 0;
  for (let left = packets; left > 0; left--) {
    if (left === packets - warmUp) warm = livingBytes();
    const packet = nextPacket(seeds[dialect.name]!, random);
    const properties = nextProperties(seeds[dialect.name]!, random);
    try {
      await speaker.take({ ...packet, dup: random() < 0.1, properties });
    } catch (cause) {
      throw new Error(`${packet.topic} ${Buffer.from(packet.payload).toString("base64")}`, { cause });
    }
    for (const { topic, payload } of said.splice(0)) {
      words += 1;
      assert.ok(topic.length > 0 && payload.length > 0);
    }
  }
  const grown = livingBytes() - warm;
  await speaker.take({ topic: "", payload: new Uint8Array(), dup: false, properties: {} });
  return { words, grown };
}

function livingBytes(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

/** What the sender wrote is nearly right; what the server writes is. */
function nextTold(random: Random): Downlink {
  const { conv, seq, from, ts, ...rest } = oneOf(random, told);
  const { content, ...fields } = mutateObject(rest, random) as Downlink;
  const other = oneOf(random, told).content;
  // Events are the server's own.
  const mutated = other.type === "event" ? other : { ...(content as object), type: other.type };
  return { ...fields, conv, seq, from, ts, content: mutated };
}

async function tell(dialect: Dialect, random: Random): Promise<void> {
  const speaker = dialect.open(structuredClone(tree), openPort([]));
  for (let left = packets; left > 0; left--) {
    const packet = nextTold(random);
    try {
      await speaker.render(packet);
    } catch (cause) {
      throw new Error(JSON.stringify(packet), { cause });
    }
  }
}

for (const dialect of dialects) {
  test(`${dialect.name}: of ${packets} packets that are nearly right none fails, and memory stays flat`, async () => {
    const { words, grown } = await feed(dialect, seeded(seed));
    assert.ok(words > packets / 10);
    assert.ok(grown < grownMax, `what lives has grown by ${grown} bytes`);
  });

  test(`${dialect.name}: of ${packets} packets for a device that are nearly right none fails`, () =>
    tell(dialect, seeded(seed)));
}

test(`of ${packets} messages that are nearly right each is said in words`, () => {
  const random = seeded(seed);
  for (let left = packets; left > 0; left--) {
    const [message, about] = [nextTold(random), nextTold(random)] as unknown as [Worded, Worded];
    try {
      assert.equal(typeof textOf(message, { publicUrl: "https://chat.example", about }), "string");
      pointsAt(message);
    } catch (cause) {
      throw new Error(JSON.stringify([message, about]), { cause });
    }
  }
});
