import assert from "node:assert/strict";
import { test } from "node:test";
import { contentKinds, uncountedTypes } from "@parley/protocol";
import { at, call, direct, inRoom, jsonOf, notices, seen, shown, tokens, write } from "../../test/notices.ts";
import type { Outgoing } from "../providers/outgoing.ts";
import type { Notice, Preview } from "./notice.ts";
import { catalogue, type Language } from "./phrases/catalogue.ts";
import { writeNotification } from "./write-notification.ts";

const file = `f-${"a".repeat(32)}`;
/** One of every content type that is told of, with what is told in English. */
const contents: readonly [content: Notice["content"] & {}, shown: string][] = [
  [{ type: "text", data: "lunch?" }, "lunch?"],
  [{ type: "text", data: "" }, "Sent a message"],
  [{ type: "text" }, "Sent a message"],
  [{ type: "image", file }, "📷 Photo"],
  [{ type: "image", file, data: "my cat" }, "📷 Photo: my cat"],
  [{ type: "video", file, durationMs: 65_000 }, "🎥 Video (1:05)"],
  [{ type: "video", file, durationMs: 65_000, data: "my cat" }, "🎥 Video (1:05): my cat"],
  [{ type: "audio", file, name: "song.mp3", durationMs: 185_000 }, "🎵 Audio (3:05): song.mp3"],
  [{ type: "audio", file, voice: true, name: "rec.ogg", durationMs: 5_000 }, "🎤 Voice message (0:05)"],
  [{ type: "file", file, name: "menu.pdf" }, "📎 File: menu.pdf"],
  [{ type: "file", file, name: "menu.pdf", data: "for you" }, "📎 File: for you"],
  [{ type: "file", file, data: { any: 1 } }, "📎 File"],
  [{ type: "location", latitude: 52.5, longitude: 13.4, name: "Café" }, "📍 Location: Café"],
  [{ type: "location", latitude: 52.5, longitude: 13.4 }, "📍 Location"],
  [{ type: "contact", name: "Carol Reed", phones: ["+49 30 1"] }, "👤 Contact: Carol Reed"],
  [{ type: "sticker", url: "https://x.example/tea.webp", emoji: "🍵" }, "🍵 Sticker"],
  [{ type: "sticker", name: "tea", emoji: "Bank: your code" }, "Sticker"],
  [{ type: "poll", question: "Where to?", options: ["Berlin", "Paris"] }, "📊 Poll: Where to?"],
  [{ type: "call", media: "audio", outcome: "answered", durationMs: 61_000 }, "📞 Call (1:01)"],
  [{ type: "call", media: "audio", outcome: "missed" }, "📞 Missed call"],
  [{ type: "call", media: "video", outcome: "missed" }, "📞 Missed video call"],
  [{ type: "call", media: "audio", outcome: "declined" }, "📞 Declined call"],
  [{ type: "call", media: "audio", outcome: "busy" }, "📞 Call, line busy"],
  [{ type: "call", media: "video", outcome: "failed" }, "📞 Failed video call"],
  [{ type: "call", media: "audio", outcome: "ringing" }, "📞 Incoming call"],
  [{ type: "call", media: "audio", outcome: "constructor" }, "📞 Call"],
  [{ type: "x-weather", data: "sunny" }, "Sent a message"],
  [{ type: "hologram", data: "of a later version" }, "Sent a message"],
  [{ type: "constructor" }, "Sent a message"],
];

for (const [content, words] of contents)
  test(`${JSON.stringify(content)} is shown as: ${words}`, () => {
    for (const to of shown) {
      assert.deepEqual(seen(write({ ...direct, content }, to)), { title: "Alice Ng", body: words });
      const said = seen(write({ ...inRoom, content }, to));
      assert.deepEqual(said, { title: "Tea Time", body: `Alice Ng: ${words}` });
    }
  });

test("every content type that Parley knows is shown, or nobody is told of it", () => {
  const told = new Set(contents.map(([{ type }]) => type));
  for (const type of [...Object.keys(contentKinds), "event", "erased"]) {
    if (told.has(type)) continue;
    assert.ok(uncountedTypes.has(type) || type === "erased", type);
    for (const to of Object.values(tokens))
      assert.equal(writeNotification({ ...direct, content: { type, seq: 3, data: "lunch?" } }, to, at), undefined);
  }
});

const languages = Object.keys(catalogue) as Language[];
const previews: readonly Preview[] = ["full", "name", "none"];
/** Words that nobody may see where names, or texts, are not to be seen. */
const secrets = {
  names: ["Alice Ng", "alice", "Tea Time", "r-77", "p2p/", "room/", "m12", "c-1"],
  texts: ["lunch", "my cat", "menu.pdf", "song.mp3", "for you", "Café", "Carol", "Where to", "thumb.example"],
};

const inEveryPlace: readonly Notice[] = [direct, inRoom, { ...inRoom, mentioned: true }, { ...inRoom, unread: 5 }];
const everything: readonly Notice[] = [
  ...contents.flatMap(([content]) => inEveryPlace.map((notice) => ({ ...notice, content }))),
  ...Object.values(notices),
  { ...inRoom, kind: "call", content: { type: "call", media: "audio", call: "c-1" } },
];

for (const language of languages)
  for (const preview of previews)
    test(`${language}, ${preview}: no content type or kind, on no provider, tells more than the setting lets`, () => {
      for (const notice of everything)
        for (const to of Object.values(tokens)) {
          const thumbnailUrl = "https://thumb.example/1";
          const outgoing = writeNotification({ ...notice, language, preview, thumbnailUrl }, to, at);
          if (outgoing) assertDiscreet(outgoing, notice, preview);
          else assert.ok(to.kind === "apns-voip" || notice.kind === "read");
        }
    });

function assertDiscreet(outgoing: Outgoing, { kind, content }: Notice, preview: Preview): void {
  const { collapseId, topic } = outgoing as { collapseId?: string; topic?: string };
  const json = `${jsonOf(outgoing)} ${collapseId} ${topic}`;
  const what = `${kind} ${content?.type}: ${json}`;
  const isTold = (word: string) => json.includes(word);
  if (preview !== "full") assert.deepEqual(secrets.texts.filter(isTold), [], what);
  if (preview === "none") assert.deepEqual(secrets.names.filter(isTold), [], what);
  else if (kind !== "read" && kind !== "test") assert.ok(isTold("Alice Ng"), what);
  if (kind !== "read") assert.ok(seen(outgoing).title, what);
  assert.ok(json.isWellFormed(), what);
}

const phrased: readonly [language: Language, notice: Notice, title: string, body?: string][] = [
  ["en", { ...direct, preview: "name" }, "Alice Ng", "Sent you a message"],
  ["en", { ...direct, preview: "name", unread: 3 }, "Alice Ng", "3 new messages"],
  ["en", { ...inRoom, preview: "name" }, "Tea Time", "Alice Ng: New message"],
  ["en", { ...inRoom, mentioned: true }, "Tea Time", "Alice Ng mentioned you: lunch?"],
  ["en", { ...inRoom, mentioned: true, preview: "name" }, "Tea Time", "Alice Ng mentioned you: New message"],
  ["en", { ...direct, preview: "none" }, "New message"],
  ["en", { ...direct, preview: "none", unread: 3 }, "3 new messages"],
  ["en", call, "Alice Ng", "📞 Incoming video call"],
  ["en", { ...call, preview: "none" }, "Incoming call"],
  ["en", notices.invitation, "Tea Time", "Invitation from Alice Ng"],
  ["en", { ...notices.invitation, preview: "none" }, "New invitation"],
  ["en", notices.request, "Alice Ng", "Contact request"],
  ["en", { ...notices.request, preview: "none" }, "Contact request"],
  ["en", notices.accepted, "Alice Ng", "Contact request accepted"],
  ["en", { ...notices.test, preview: "none" }, "Test notification", "Notifications reach this device."],
  ["de", { ...inRoom, content: { type: "image", data: "Katze" } }, "Tea Time", "Alice Ng: 📷 Foto: Katze"],
  ["zh", { ...inRoom, content: { type: "file", name: "菜单.pdf" } }, "Tea Time", "Alice Ng：📎 文件：菜单.pdf"],
  ["uk", { ...direct, preview: "name" }, "Alice Ng", "Надсилає вам повідомлення"],
  ["uk", { ...direct, preview: "name", unread: 22 }, "Alice Ng", "22 нові повідомлення"],
  ["ar", { ...inRoom, content: { type: "image" } }, "Tea Time", "\u2068Alice Ng\u2069: 📷 صورة"],
  ["ar", inRoom, "Tea Time", "\u2068Alice Ng\u2069: \u2068lunch?\u2069"],
  ["ar", { ...direct, content: { type: "file", name: "a.pdf" } }, "Alice Ng", "📎 ملف: \u2068a.pdf\u2069"],
  ["ar", notices.invitation, "Tea Time", "دعوة من \u2068Alice Ng\u2069"],
];

for (const [language, notice, title, body] of phrased)
  test(`${language}: ${notice.kind} (${notice.preview}) says ${title} / ${body}`, () => {
    for (const to of shown) {
      const said = seen(write({ ...notice, language }, to));
      assert.deepEqual([said.title, said.body], [title, body], to.kind);
    }
  });

test("who has no name that can be seen is called by the uid, a room by its id", () => {
  const nobody: Notice = { ...inRoom, from: { uid: "alice", name: "\u202e\u2800" }, room: { id: "r-77", name: " " } };
  for (const to of shown) {
    assert.deepEqual(seen(write(nobody, to)), { title: "r-77", body: "alice: lunch?" });
    // One grapheme, too long to be shown.
    const endless = { ...direct, from: { uid: "alice", name: "👨\u200d".repeat(200) } };
    assert.equal(seen(write(endless, to)).title, "alice");
    const { from: _, ...unknown } = direct;
    assert.equal(seen(write(unknown, to)).title, "Somebody");
  }
});
