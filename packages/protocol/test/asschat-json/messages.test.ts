// ASSChat's second form: what is said in channels, both ways.
import assert from "node:assert/strict";
import { test } from "node:test";
import { AppError } from "@parley/protocol";
import type { Downlink } from "@parley/protocol/dialects";
import { stored } from "../recorded-parley.ts";
import { answersOf, open } from "./device.ts";

type Content = { type: string } & Record<string, unknown>;

/** What is stored of a payload. */
async function sent(payload: unknown): Promise<{ content: Content } & Record<string, unknown>> {
  const { parley, take } = open();
  await take("ch/tea", payload);
  assert.deepEqual(answersOf(parley.said), []);
  const [asked] = parley.asks;
  assert.equal(asked?.[0], "send");
  return asked?.[1] as never;
}

/** What a device is sent of a stored message. */
async function told(content: Content, more: object = {}) {
  return { topic: "ch/tea", ...JSON.parse(await payloadOf(content, more)) };
}

async function payloadOf(content: Content, more: object): Promise<string> {
  const { speaker } = open();
  const [said] = await speaker.render(stored("room/tea", 7, "bob", content, { device: "bob:pc", ...more }) as Downlink);
  assert.equal(said?.topic, "ch/tea");
  return `${said?.payload}`;
}

const files = { type: "image", file: "https://example/image.jpg" };

test("a text or a file is stored as what it is, and anything else whole, with its JSON as words for others", async () => {
  for (const [payload, content] of [
    [{ msg: "hello?" }, { type: "text", data: "hello?" }],
    ["hello, no JSON", { type: "text", data: "hello, no JSON" }],
    ['"a text"', { type: "text", data: "a text" }],
    [
      { msg: "look", ...files },
      { type: "image", url: files.file, data: "look" },
    ],
    [
      { type: "zip", file: "https://example/a.zip" },
      { type: "file", url: "https://example/a.zip" },
    ],
    [
      { msg: "look", type: "image", file: "no address" },
      { type: "text", data: "look" },
    ],
    [{ msg: 7 }, { type: "x-asschat", data: '{"msg":7}' }],
    [{ msg: "" }, { type: "x-asschat", data: '{"msg":""}' }],
    [[1, "two"], { type: "x-asschat", data: '[1,"two"]' }],
    ["17", { type: "text", data: "17" }],
    ["null", { type: "text", data: "null" }],
    ["{}", { type: "x-asschat", data: "{}" }],
  ] as const)
    assert.deepEqual((await sent(payload)).content, content, JSON.stringify(payload));
});

test("a body comes out as it went in, whatever it is", async () => {
  for (const payload of [
    '{"msg":"hello?","type":"image","file":"https://example/image.jpg"}',
    '{"msg":"hi"}',
    '{"color":"red","msg":"hi"}',
    '{"msg":"hi","push":"not a push"}',
    '{"type":"image","file":"https://example/a.png","width":3,"name":"a.png","mime":"image/png"}',
    '[{"a":[]},null,1.5]',
    "false",
    "null",
    "0",
    '"text"',
  ]) {
    const { to: _, content, ...more } = await sent(payload);
    assert.deepEqual((await told(content, more)).body, JSON.parse(payload), payload);
  }
  const { to: _, content, ...more } = await sent("not JSON");
  assert.equal((await told(content, more)).body, "not JSON");
});

test("numbers, keys and places of a body come out as they were written", async () => {
  for (const body of [
    '{"msg":"hi","id":12345678901234567890,"rate":1.0}',
    '{ "$ref":1e400,"__proto__":{} }',
    "[-0.0]",
  ]) {
    const { to: _, content, ...more } = await sent(body);
    assert.ok((await payloadOf(content, more)).includes(`"body":${body},`), body);
  }
  const { to: _, content, ...more } = await sent('{"push":{"sound":"a"},"msg":"hi","id":12345678901234567890}');
  assert.ok((await payloadOf(content, more)).includes('"body":{"msg":"hi","id":12345678901234567890},'));
});

test("a body that is too large to stand beside its words is stored once, and comes out whole", async () => {
  const body = { msg: "x".repeat(40_000), color: "red" };
  const { to: _, content, ...more } = await sent(body);
  assert.deepEqual([content.type, more], ["x-asschat", {}]);
  assert.deepEqual((await told(content, more)).body, body);
});

test("what another protocol puts into the fields of this one is told only where it is what this one writes", async () => {
  const text = { type: "text", data: "hi" };
  for (const asschat of [{ body: "no JSON" }, { body: 5 }, { push: "x" }, [], "body", null])
    assert.deepEqual(await told(text, { asschat }), await told(text));
  assert.deepEqual((await told({ type: "x-asschat", data: "no JSON" })).body, { msg: "[x-asschat] no JSON" });
});

test("a message is sent on with msg_id, its sender's client id and its time, and push stands beside the body", async () => {
  const { to: _, content, ...more } = await sent({ msg: "hi", push: { sound: "bingbong.aiff", "@": "all()" } });
  assert.deepEqual(content, { type: "text", data: "hi", mentions: ["@all"] });
  assert.deepEqual(await told(content, more), {
    ...{ topic: "ch/tea", msg_id: 7, type: "ch_msg", body: { msg: "hi" } },
    push: { sound: "bingbong.aiff", "@": "all()" },
    ...{ from: "bob:pc", timestamp: 1_700_000_000_007 },
  });
  for (const [device, from] of [
    ["bob/pc", "bob/pc"],
    ["emqttd_1", "bob"],
    ["ada:pc", "bob"],
  ])
    assert.equal((await told({ type: "text", data: "hi" }, { device })).from, from);
});

test("what others say has its words as msg, with what it is about", async () => {
  for (const [content, body] of [
    [{ type: "text", data: "hi" }, { msg: "hi" }],
    [
      { type: "edit", seq: 3, data: "better" },
      { msg: "better", edit: 3 },
    ],
    [
      { type: "recall", seq: 3 },
      { msg: "message removed", recall: 3 },
    ],
    [
      { type: "reaction", seq: 3, data: "👍", remove: true },
      { msg: "👍", reaction: 3, remove: true },
    ],
    [
      { type: "image", url: "/a.png", data: "my cat" },
      { msg: "my cat", type: "image", file: "https://chat.example/a.png" },
    ],
    [{ type: "poll", question: "Where?", options: ["A", "B"] }, { msg: "[poll] Where?\n1) A\n2) B" }],
  ] as const)
    assert.deepEqual((await told(content as Content)).body, body);
  assert.deepEqual((await told({ type: "text", data: "yes" }, { reply: 4, nick: "Joe" })).body, {
    msg: "Joe: yes",
    reply: 4,
  });
  assert.deepEqual((await told({ type: "text", data: "you", mentions: ["@all", "cal"] })).push, {
    "@": "all(), 'cal'",
  });
});

test("nothing is left of the body of a message that was taken back", async () => {
  const { body } = await told(
    { type: "erased" },
    { asschat: { body: '{"secret":1}' }, recalled: { seq: 9, by: "bob" } },
  );
  assert.deepEqual(body, { msg: "message removed" });
});

test("push.@ mentions users, all, and all but some, of whom the channel's users are read first", async () => {
  for (const [expression, mentions] of [
    ["'bob', 'cal'", ["bob", "cal"]],
    ["all()", ["@all"]],
    ["except(all(), 'bob')", ["cal"]],
    ["except('bob', 'cal', 'bob')", ["cal"]],
    ["except(all(), 'bob'), 'bob'", ["@all"]],
    ["except(except(all(), 'bob'), 'cal')", undefined],
  ] as const) {
    const { parley, take } = open();
    await take("ch/coffee", { msg: "hi", push: { "@": expression } });
    const [, outgoing] = parley.asks.find(([what]) => what === "send") ?? [];
    assert.deepEqual((outgoing as { content: Content }).content.mentions, mentions, expression);
  }
});

test("messages stay in order behind one whose users are read first", async () => {
  const { parley, take } = open();
  await Promise.all([take("ch/coffee", { msg: "1", push: { "@": "except(all(), 'bob')" } }), take("ch/coffee", "2")]);
  const texts = parley.asks
    .filter(([what]) => what === "send")
    .map(([, one]) => (one as { content: Content }).content.data);
  assert.deepEqual(texts, ["1", "2"]);
});

test("a message that cannot be taken is answered with a code and words", async () => {
  for (const [topic, payload, words] of [
    ["ch/tea", "", /empty/],
    ["ch/tea", new Uint8Array([0xff, 0xfe]), /UTF-8/],
    ["ch/tea", `${"[".repeat(40)}${"]".repeat(40)}`, /nested deeper/],
    ["ch/tea", { msg: "hi", push: { "@": 5 } }, /as a text/],
    ["ch/tea", { msg: "hi", push: { "@": "some()" } }, /push\.@ is made of/],
    ["ch/tea", { msg: "hi", push: { "@": "except('bob')" } }, /push\.@ is made of/],
    ["ch/tea", { msg: "hi", push: { "@": "all(" } }, /not an expression/],
    ["ch/no room", "hi", /no channel id/],
    [`ch/${"x".repeat(200)}`, "hi", /no channel id/],
  ] as const) {
    const { parley, take } = open();
    if (payload instanceof Uint8Array) await take(topic, "", { payload });
    else await take(topic, payload);
    const [answer] = answersOf(parley.said);
    assert.equal(answer?.rcode, 400, `${topic} ${payload}`);
    assert.match(`${answer?.rmsg}`, words);
    assert.deepEqual([answer?.type, answer?.ch_id], ["ch_msg", topic.slice(3)]);
    assert.equal(parley.asks.filter(([what]) => what === "send").length, 0);
  }
  const { parley, take, speaker } = open();
  parley.refuse("room/tea", new AppError("not_member"));
  await take("ch/tea", "hi");
  await speaker.refused?.({ topic: "ch/tea", payload: new Uint8Array() }, new AppError("too_large"));
  assert.deepEqual(
    answersOf(parley.said).map(({ rcode }) => rcode),
    [403, 413],
  );
});

test("a channel is found with and without the $", async () => {
  for (const [topic, to] of [
    ["ch/tea", "room/tea"],
    ["ch/$tea", "room/tea"],
    ["ch/a.b@c", "room/a.b@c"],
    [`ch/p-${"0".repeat(24)}`, `room/p-${"0".repeat(24)}`],
  ] as const) {
    const { parley, take } = open();
    await take(topic, "hi");
    assert.equal((parley.asks[0] as [string, { to: string }])[1].to, to);
  }
});

test("what happened to a channel comes on the device's own topic, and what an application calls so with its fields", async () => {
  const { speaker } = open();
  const event = async (data: object) => {
    const message = stored("room/tea", 7, "bob", { type: "event", data }, { device: "bob:pc" });
    return answersOf(await speaker.render(message as Downlink))[0];
  };
  const about = { msg_id: 7, type: "ch_notif", from: "bob:pc", timestamp: 1_700_000_000_007 };
  for (const [data, type, users] of [
    [{ event: "create", by: "bob", uids: ["ada"] }, "CH_CREATED", ["bob", "ada"]],
    [{ event: "invite", by: "bob", uids: ["cal"] }, "CH_USERS_IN", ["cal"]],
    [{ event: "remove", by: "bob", uids: ["cal"] }, "CH_USERS_OUT", ["cal"]],
    [{ event: "delete", by: "bob", uids: [] }, "CH_DELETED", undefined],
    [{ event: "mode", by: "bob", uids: ["cal"], mode: "read" }, "CH_MODE", ["cal"]],
  ] as const) {
    const { notif, ...rest } = (await event(data)) as { notif: { msg: string } };
    const { msg, ...fields } = notif;
    assert.deepEqual(fields, { type, ch_id: "tea", ...(users === undefined ? {} : { users }) });
    assert.ok(msg.length > 0);
    assert.deepEqual(rest, about);
  }
  const own = stored("room/tea", 7, "bob", { type: "x-weather", celsius: 21 }, { device: "bob:pc" });
  const [weather] = answersOf(await speaker.render(own as Downlink));
  assert.deepEqual(weather, { ...about, notif: { type: "x-weather", ch_id: "tea", celsius: 21 } });
  const [invited] = answersOf(await speaker.render({ type: "invitation", conv: "room/tea", by: "bob" }));
  assert.deepEqual((invited as { notif: { type: string } }).notif.type, "CH_INVITATION");
});

test("what comes through several channels is told once, with the channels that it came through", async () => {
  const { speaker, parley } = open();
  parley.wasTold = () => false;
  const copy = (conv: string, seq: number, via: object[]) =>
    stored(conv, seq, "bob", { type: "text", data: "hi" }, { device: "bob:pc", id: "m1", via }) as Downlink;
  const [said] = await speaker.render(copy("room/tea", 7, [{ id: "news", seq: 3 }]));
  assert.deepEqual([said?.topic, JSON.parse(`${said?.payload}`).via], ["ch/tea", ["news"]]);
  assert.deepEqual(await speaker.render(copy("room/coffee", 9, [{ id: "news", seq: 3 }])), []);
  parley.wasTold = (conv) => conv === "room/tea";
  const other = { ...copy("room/coffee", 10, [{ id: "tea", seq: 8 }]), id: "m2" };
  assert.deepEqual(await speaker.render(other), [], "its user has it where it was said");
});
