import assert from "node:assert/strict";
import { test } from "node:test";
import { contentKinds } from "../packets/content.ts";
import { durationText, shortText, sizeText } from "./phrases.ts";
import { pointsAt, textOf, urlOf, type Worded, withNick } from "./words.ts";

const publicUrl = "https://chat.example";
const file = `f-${"a".repeat(32)}`;
const lunch: Worded = {
  from: "bob",
  content: { type: "text", data: "shall we have lunch at the place by the river?" },
};
const poll: Worded = { from: "bob", content: { type: "poll", question: "Where to?", options: ["Berlin", "Paris"] } };

const spoken: [content: Worded["content"], text: string, about?: Worded][] = [
  [{ type: "text", data: "hi" }, "hi"],
  [{ type: "text" }, ""],
  [
    { type: "text", data: "see https://a.example/x", preview: { url: "https://a.example/x", title: "A page" } },
    "see https://a.example/x\n[A page]",
  ],
  [
    { type: "text", data: "see", preview: { url: "https://a.example/x", title: "A page" } },
    "see\n[A page] https://a.example/x",
  ],
  [{ type: "text", data: "see", preview: 7 }, "see"],
  [
    { type: "image", file, name: "cat.png", size: 48_213, data: "my cat" },
    `[image] my cat cat.png, 48 kB https://chat.example/attachments/${file}`,
  ],
  [{ type: "file", url: `/attachments/${file}` }, `[file] https://chat.example/attachments/${file}`],
  [{ type: "file", data: { any: 1 } }, "[file]"],
  [{ type: "audio", file, voice: true, durationMs: 125_000 }, `[voice] 2:05 https://chat.example/attachments/${file}`],
  [{ type: "video", url: "https://x/y.mp4", durationMs: 3_725_000 }, "[video] 1:02:05 https://x/y.mp4"],
  [{ type: "location", latitude: 52.5, longitude: 13.4, name: "Café" }, "[location] Café 52.5,13.4"],
  [{ type: "contact", name: "Bob", uid: "bob", phones: ["+49 1", "+49 2"] }, "[contact] Bob bob +49 1, +49 2"],
  [{ type: "sticker", emoji: "🎉", pack: "party" }, "[sticker] 🎉 party"],
  [{ type: "call", media: "audio", outcome: "answered", durationMs: 61_000 }, "[audio call] answered 1:01"],
  [{ type: "call", media: "video", outcome: "ringing", call: "c-1" }, "[video call] is calling"],
  [{ ...poll.content }, "[poll] Where to?\n1) Berlin\n2) Paris"],
  [{ ...poll.content, multiple: true, anonymous: true }, "[anonymous poll, several] Where to?\n1) Berlin\n2) Paris"],
  [{ type: "vote", seq: 12, options: [0, 1] }, "voted 1, 2 in: [poll] Where to? 1) Berlin 2) Paris", poll],
  [{ type: "vote", seq: 12, options: [] }, "took back the vote in: message 12"],
  [{ type: "vote", seq: 12 }, "voted in: message 12"],
  [{ type: "close", seq: 12 }, "closed the poll: [poll] Where to? 1) Berlin 2) Paris", poll],
  [{ type: "edit", seq: 12, data: "lunch?" }, "✎ lunch?"],
  [{ type: "edit", seq: 12, data: { rich: true } }, '✎ {"rich":true}'],
  [{ type: "recall", seq: 12 }, "message removed"],
  [{ type: "erased" }, "message removed"],
  [{ type: "reaction", seq: 12, data: "👍" }, "👍 to: shall we have lunch at the place by the …", lunch],
  [{ type: "reaction", seq: 12, data: "👍", remove: true }, "took back 👍 to: message 12"],
  [{ type: "x-weather", data: "sunny" }, "[x-weather] sunny"],
  [{ type: "x-weather", celsius: 21 }, '[x-weather] {"celsius":21}'],
  [{ type: "constructor", data: 1 }, "[constructor] 1"],
];

for (const [content, text, about] of spoken)
  test(`${JSON.stringify(content)} says: ${text}`, () =>
    assert.equal(textOf({ from: "alice", content }, { publicUrl, about }), text));

test("every content type that Parley knows says something", () => {
  const said = new Set(spoken.map(([{ type }]) => type));
  assert.deepEqual(
    Object.keys(contentKinds).filter((type) => !said.has(type)),
    [],
  );
});

const happened: [data: object, text: string][] = [
  [
    { event: "create", by: "alice", uids: ["bob", "carol"], name: "Tea", invited: ["dave"] },
    "alice made the room Tea with bob, carol and invited dave",
  ],
  [{ event: "invite", by: "alice", uids: ["bob"] }, "alice added bob"],
  [{ event: "invite", by: "alice", uids: ["dave"], invited: ["dave"] }, "alice invited dave"],
  [{ event: "join", by: "bob", uids: ["bob"] }, "bob joined"],
  [{ event: "leave", by: "alice", uids: ["alice"], owner: "bob" }, "alice left; bob owns the room now"],
  [{ event: "block", by: "bob", uids: ["bob"] }, "bob left"],
  [{ event: "remove", by: "alice", uids: ["bob"] }, "alice removed bob"],
  [{ event: "ban", by: "alice", uids: ["bob"] }, "alice banned bob"],
  [{ event: "unban", by: "alice", uids: ["bob"] }, "alice no longer bans bob"],
  [{ event: "unblock", by: "bob", uids: ["bob"] }, "bob may be invited again"],
  [{ event: "role", by: "alice", uids: ["bob"], role: "admin" }, "alice made bob admin"],
  [{ event: "transfer", by: "alice", uids: ["bob"] }, "alice handed the room over to bob"],
  [{ event: "mute", by: "alice", uids: ["bob"], until: 0 }, "alice muted bob until 1970-01-01T00:00:00.000Z"],
  [{ event: "mute", by: "alice", uids: ["bob"], until: null }, "alice muted bob"],
  [{ event: "unmute", by: "alice", uids: ["bob"] }, "alice lets bob write again"],
  [
    { event: "update", by: "alice", uids: [], name: "Coffee", room: { settings: {}, topic: "beans" } },
    "alice changed the room: Coffee, beans",
  ],
  [{ event: "archive", by: "alice", uids: [] }, "alice archived the room"],
  [{ event: "unarchive", by: "alice", uids: [] }, "alice took the room into use again"],
  [{ event: "delete", by: "alice", uids: [] }, "alice deleted the room"],
  [{ event: "ask", by: "bob", uids: ["bob"] }, "bob asks to be let in"],
  [{ event: "admit", by: "alice", uids: ["bob"] }, "alice let bob in"],
  [{ event: "refuse", by: "bob", uids: ["bob"] }, "bob does not come in"],
  [{ event: "refuse", by: "alice", uids: ["bob"] }, "alice does not let bob in"],
  [{ event: "link", by: "alice", uids: [] }, "alice made an invite link"],
  [{ event: "unlink", by: "alice", uids: [] }, "alice ended an invite link"],
  [{ event: "nest", by: "alice", uids: [], rooms: ["tea", "cake"] }, "alice: what is said here goes on to tea, cake"],
  [{ event: "unnest", by: "alice", uids: [], rooms: ["tea"] }, "alice: what is said here goes on to tea no more"],
  [{ event: "pin", by: "alice", uids: [], seq: 3 }, "alice pinned: message 3"],
  [{ event: "unpin", by: "alice", uids: [], seq: 3 }, "alice unpinned: message 3"],
  [
    { event: "expiry", by: "alice", uids: [], expiry: { seconds: 60, from: "read" } },
    "alice: messages disappear 60 s after being read",
  ],
  [{ event: "expiry", by: "alice", uids: [], expiry: null }, "alice: messages stay"],
  [{ event: "of a newer server", by: "alice" }, '[event] {"event":"of a newer server","by":"alice"}'],
];

for (const [data, text] of happened)
  test(`the event ${JSON.stringify(data)} says: ${text}`, () =>
    assert.equal(textOf({ from: "alice", content: { type: "event", data } }, { publicUrl }), text));

test("of many who are added the first ten are named, and how many others there are", () => {
  const uids = Array.from({ length: 12 }, (_, index) => `u${index}`);
  const message = { from: "alice", content: { type: "event", data: { event: "invite", by: "alice", uids } } };
  assert.equal(textOf(message, { publicUrl }), `alice added ${uids.slice(0, 10).join(", ")} and 2 others`);
});

test("an answer says to what, a forwarded message whose it was", () => {
  const message = { from: "alice", content: { type: "text", data: "sure" } };
  assert.equal(textOf({ ...message, reply: 3 }, { publicUrl }), "sure\n↩ to: message 3");
  const look = { publicUrl, about: { from: "bob", content: { type: "text", data: "lunch?" } } };
  assert.equal(textOf({ ...message, reply: 3 }, look), "sure\n↩ to: lunch?");
  assert.equal(textOf({ ...message, forwarded: { from: "carol" } }, look), "forwarded from carol: sure");
  assert.equal(textOf({ ...message, forwarded: {} }, look), "forwarded: sure");
});

test("what a message points at is told as it is now: edited, or removed", () => {
  const reaction = { from: "alice", content: { type: "reaction", seq: 1, data: "👍" } };
  const edited = { ...lunch, edited: { content: { type: "edit", seq: 1, data: "dinner?" } } };
  assert.equal(textOf(reaction, { publicUrl, about: edited }), "👍 to: dinner?");
  assert.equal(textOf(reaction, { publicUrl, about: { ...lunch, recalled: {} } as Worded }), "👍 to: message removed");
});

test("the message pointed at is looked for only where its words are needed", () => {
  const at = (content: Worded["content"], reply?: number) =>
    pointsAt({ from: "a", content, ...(reply === undefined ? {} : { reply }) });
  assert.equal(at({ type: "reaction", seq: 4, data: "👍" }), 4);
  assert.equal(at({ type: "vote", seq: 4, options: [] }), 4);
  assert.equal(at({ type: "event", data: { event: "pin", seq: 5 } }), 5);
  assert.equal(at({ type: "text", data: "sure" }, 6), 6);
  for (const type of ["text", "edit", "recall"]) assert.equal(at({ type, seq: 4 }), undefined);
  assert.equal(at({ type: "event", data: null }), undefined);
  assert.equal(at({ type: "reaction", seq: "4" }), undefined);
});

test("a nick stands before the text where a message has one", () => {
  const message = { from: "chat", content: { type: "text", data: "hi" } };
  assert.equal(withNick(message, "hi"), "hi");
  assert.equal(withNick({ ...message, nick: "Joe" }, "hi"), "Joe: hi");
});

test("a content without a file has no URL", () =>
  assert.equal(urlOf({ type: "text", data: "hi" }, publicUrl), undefined));

test("lengths and sizes read as people write them", () => {
  assert.equal(durationText(59_600), "1:00");
  assert.equal(durationText("1"), undefined);
  assert.deepEqual([0, 999, 48_213, 5e9, 5e15].map(sizeText), ["0 B", "999 B", "48 kB", "5 GB", "5000000 GB"]);
});

test("text is cut between characters, never inside one", () => {
  assert.equal(shortText("👍👍👍", 2), "👍👍…");
  assert.equal(shortText("a\n b", 3), "a b");
});
