import assert from "node:assert/strict";
import { test } from "node:test";
import { contentKinds, refuseContent } from "./content.ts";

type Content = { type: string; [field: string]: unknown };

const valid: Content[] = [
  { type: "text" },
  { type: "text", data: "" },
  { type: "text", data: "see https://a.example/", preview: { url: "https://a.example/", title: "A", mine: 1 } },
  { type: "image", file: "f-1", width: 640, height: 480, data: "my cat", mine: { x: 1 } },
  { type: "video", file: "f-1", thumbnail: { url: "/attachments/f-1/thumbnail", mime: "image/png", width: 3 } },
  { type: "audio", url: "/attachments/f-1", voice: true, durationMs: 1_500, waveform: [0, 255] },
  { type: "video", data: { url: "x" } },
  { type: "file", file: "f-1", name: "plan.pdf", size: 0 },
  { type: "location", latitude: -90, longitude: 180, accuracy: 0, name: "Café", address: "1 High Street\nAnytown" },
  { type: "contact", name: "Bob", uid: "bob", phones: ["+49 30 1"], emails: ["bob@x.example"] },
  { type: "sticker", emoji: "🎉" },
  { type: "call", media: "audio", outcome: "missed", uids: ["bob"] },
  { type: "call", media: "video", outcome: "ringing", call: "c-1" },
  { type: "poll", question: "Where to?", options: ["Berlin", "Paris"], multiple: true, anonymous: true },
  { type: "poll", question: "Where to?\n\tIn May.", options: ["Berlin", "Paris"] },
  { type: "text", preview: { url: "https://a.example/", description: "One.\nTwo." } },
  { type: "vote", seq: 1, options: [] },
  { type: "vote", seq: 1, options: [0, 19] },
  { type: "close", seq: 1 },
  { type: "edit", seq: 1, data: "new" },
  { type: "recall", seq: 1 },
  { type: "reaction", seq: 1, data: "👍", remove: true },
  { type: "x-weather", latitude: "far north" },
];

for (const content of valid)
  test(`taken: ${JSON.stringify(content)}`, () => assert.equal(refuseContent({ content }), undefined));

test("every type has a content that is taken", () => {
  const taken = new Set(valid.map(({ type }) => type));
  assert.deepEqual(
    Object.keys(contentKinds).filter((type) => !taken.has(type)),
    [],
  );
});

const preview = { url: "https://a.example/" };
const location = { type: "location", latitude: 1, longitude: 1 };
const poll = { type: "poll", question: "?", options: ["a", "b"] };
const contact = { type: "contact", name: "Bob" };
const call = { type: "call", media: "audio", outcome: "missed" };
const invalid: [content: Content, says: RegExp][] = [
  [{ type: "text", data: 7 }, /content\.data/],
  [{ type: "text", preview: "A" }, /content\.preview/],
  [{ type: "text", preview: { title: "A" } }, /content\.preview\.url is missing/],
  [{ type: "text", preview: { url: "javascript:alert(1)" } }, /content\.preview\.url/],
  [{ type: "text", preview: { ...preview, image: "data:image/png;base64," } }, /content\.preview\.image/],
  [{ type: "text", preview: { ...preview, title: "x".repeat(201) } }, /content\.preview\.title/],
  [{ type: "text", preview: { ...preview, description: "a\u0007" } }, /content\.preview\.description/],
  [{ type: "text", preview: { ...preview, site: "" } }, /content\.preview\.site/],
  [{ type: "image", name: "cat.png" }, /content has none of file, url, data/],
  [{ type: "image", file: "f-1", thumbnail: { mime: "image/webp" } }, /content\.thumbnail/],
  [{ type: "image", file: "f-1", width: 0 }, /content\.width/],
  [{ type: "image", file: "f-1", size: -1 }, /content\.size/],
  [{ type: "audio", file: "f-1", durationMs: 1.5 }, /content\.durationMs/],
  [{ type: "audio", file: "f-1", waveform: Array.from({ length: 257 }, () => 1) }, /content\.waveform/],
  [{ type: "audio", file: "f-1", waveform: [256] }, /content\.waveform/],
  [{ type: "file", file: "f-1", name: "a\u0007" }, /content\.name/],
  [{ type: "file", url: "x".repeat(2_049) }, /content\.url/],
  [{ type: "location", latitude: 1 }, /content\.longitude is missing/],
  [{ ...location, latitude: 90.1 }, /content\.latitude/],
  [{ ...location, longitude: "13" }, /content\.longitude/],
  [{ ...location, accuracy: -1 }, /content\.accuracy/],
  [{ ...location, name: "a\nb" }, /content\.name must be without control characters$/],
  [{ ...location, address: "a\rb" }, /content\.address must be without control characters but new lines and tabs/],
  [{ type: "contact" }, /content\.name is missing/],
  [{ ...contact, name: "" }, /content\.name/],
  [{ ...contact, uid: "no such user" }, /content\.uid/],
  [{ ...contact, phones: Array.from({ length: 11 }, () => "1") }, /content\.phones/],
  [{ type: "sticker" }, /content has none of file, url, name, emoji/],
  [{ type: "call", media: "audio" }, /content\.outcome is missing/],
  [{ ...call, media: "smoke" }, /content\.media must be one of "audio", "video"/],
  [{ ...call, uids: ["a b"] }, /content\.uids/],
  [{ ...poll, options: ["one"] }, /content\.options/],
  [{ ...poll, options: Array.from({ length: 21 }, (_, n) => `${n}`) }, /content\.options/],
  [{ ...poll, options: ["same", "same"] }, /content\.options/],
  [{ ...poll, options: ["a", "x".repeat(101)] }, /content\.options/],
  [{ ...poll, options: ["a", "b\nc"] }, /content\.options/],
  [{ ...poll, question: "" }, /content\.question/],
  [{ type: "vote", seq: 1 }, /content\.options is missing/],
  [{ type: "vote", seq: 1, options: [20] }, /content\.options/],
  [{ type: "vote", seq: 1, options: [1, 1] }, /content\.options/],
  [{ type: "close" }, /content\.seq is missing/],
  [{ type: "edit" }, /content\.seq is missing/],
  [{ type: "reaction", seq: 1, data: " " }, /content\.data is the reaction/],
  [{ type: "reaction", seq: 1, data: "x", remove: 1 }, /content\.remove/],
];

for (const [content, says] of invalid)
  test(`refused: ${JSON.stringify(content).slice(0, 80)}`, () => {
    const refused = refuseContent({ content });
    assert.equal(refused?.code, "invalid_packet");
    assert.match(refused.message, says);
  });
