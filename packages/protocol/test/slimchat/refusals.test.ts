// What a device of SlimChat is told of packets that cannot be taken, and whose topics are its own.
import assert from "node:assert/strict";
import { test } from "node:test";
import { dialectOf } from "../../src/dialects.ts";
import { AppError } from "../../src/errors.ts";
import { ofDraft, openDevice, ownTopic, type Packet, text } from "./device.ts";

const refused: [what: string, topic: string, packet: unknown, id: string, code: string, word: RegExp][] = [
  ["another domain", "$IM/domain/b.example/user/bob", ofDraft, ofDraft.id, "forbidden", /domains/],
  ["a topic that is no OID", "$IM/bob", ofDraft, ofDraft.id, "not_found", /user\/\{uid\}/],
  ["a user that cannot be", "$IM/user/b%b", ofDraft, ofDraft.id, "not_found", /user\/\{uid\}/],
  ["a room that cannot be", "$IM/room/t e a", ofDraft, ofDraft.id, "not_found", /room/],
  ["chat/node/…, of before the draft", "chat/node/bob", ofDraft, ofDraft.id, "forbidden", /\$IM\//],
  ["chat/room/…", "chat/room/tea", ofDraft, ofDraft.id, "forbidden", /\$IM\//],
  ["pres/node/…", "pres/node/bob", { type: "online", show: "available" }, "", "forbidden", /\$IM\//],
  ["what is no JSON", "$IM/user/bob", '{"id":"m1", content', "m1", "invalid_packet", /JSON/],
  [
    "an unknown type",
    "$IM/user/bob",
    { id: "m1", type: "shout", content: text },
    "m1",
    "invalid_packet",
    /chat, grpchat/,
  ],
  ["presence on another's topic", "$IM/user/bob", { id: "p1", type: "online" }, "p1", "forbidden", /user\/jack/],
  ["an unknown show", "$IM/user/jack", { id: "p1", type: "online", show: "available" }, "p1", "invalid_packet", /show/],
  [
    "a status that is no text",
    "$IM/user/jack",
    { id: "p1", type: "online", status: 5 },
    "p1",
    "invalid_packet",
    /status/,
  ],
  ["a vcard that is none", "$IM/user/jack", { id: "p1", type: "online", vcard: [] }, "p1", "invalid_packet", /vcard/],
  ["a subscription to a room", "$IM/room/tea", { id: "p1", type: "subscribe" }, "p1", "invalid_packet", /whom/],
];

for (const [what, topic, packet, id, code, word] of refused)
  test(`${what} is refused in a message of type event with its id, a code and words`, async () => {
    const { done, told, publish } = openDevice();
    await publish(topic, packet);
    assert.deepEqual(done, []);
    const [{ topic: at, packet: nack }] = told as [{ topic: string; packet: Packet }];
    assert.equal(at, ownTopic);
    const { content, ts, ...rest } = nack as { content: { data: { message: string } }; ts: number };
    assert.deepEqual(rest, { id, from: "parley", to: "jack", type: "event", thread: "user/jack" });
    assert.ok(ts > 1_700_000_000_000);
    const { message, ...data } = content.data;
    assert.deepEqual({ ...content, data }, { type: "event", data: { event: "nack", id, code } });
    assert.match(message, word);
  });

test("what Parley refuses is refused the same way", async () => {
  const { told, publish } = openDevice({ send: () => new AppError("blocked", "no", { details: { reason: "x" } }) });
  await publish("$IM/user/bob", ofDraft);
  assert.deepEqual((told[0]!.packet.content as Packet).data, {
    event: "nack",
    id: "akx292akak229",
    code: "blocked",
    message: "no",
    details: { reason: "x" },
  });
});

test("what the edge refused is told with the id that the packet began with, in the form of its topic", async () => {
  const { told, speaker } = openDevice();
  const payload = new TextEncoder().encode('{"id":"m1","type":"chat","content":{"data":"xxxx');
  await speaker.refused?.({ topic: "IM/user/bob", payload }, new AppError("too_large", "too many bytes"));
  const [{ topic, packet }] = told as [{ topic: string; packet: Packet }];
  assert.equal(topic, ownTopic.slice(1));
  assert.equal(packet.id, "m1");
  const { code, message } = (packet.content as { data: Packet }).data;
  assert.deepEqual([code, message], ["too_large", "too many bytes"]);
});

test("a packet that Parley could not take comes again: taking it fails", async () => {
  const { told, publish } = openDevice({
    send: () => {
      throw new Error("the router stops");
    },
  });
  await assert.rejects(publish("$IM/user/bob", ofDraft), /stops/);
  assert.deepEqual(told, []);
});

test("its topics are those of the draft, with and without the dollar, and those of before it", () => {
  for (const topic of ["$IM/user/bob", "IM/#", "chat/node/bob", "chat/room/+", "pres/node/bob"])
    assert.equal(dialectOf({ topic })?.name, "slimchat", topic);
  for (const topic of ["im/dn/jack/m", "chat", "chat/x", "IMx/user/bob", "#"])
    assert.notEqual(dialectOf({ topic })?.name, "slimchat", topic);
});
