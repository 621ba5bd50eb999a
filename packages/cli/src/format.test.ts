import assert from "node:assert/strict";
import { test } from "node:test";
import type { Message } from "@parley/client";
import { formatContent, formatMessage } from "./format.ts";
import { openOutput } from "./output.ts";

const shown: [content: { type: string; [field: string]: unknown }, words: string][] = [
  [{ type: "text", data: "hi" }, "hi"],
  [
    { type: "text", data: "see", preview: { url: "https://a.example/x", title: "A \u001bpage", site: "Bank" } },
    "see  [A \ufffdpage, a.example]",
  ],
  [{ type: "text", data: "see", preview: 7 }, "see"],
  [{ type: "image", file: "f-1", name: "cat.png", size: 48_213, data: "my cat" }, "(image) cat.png 48 kB my cat"],
  [{ type: "audio", file: "f-1", voice: true, durationMs: 125_000 }, "(voice) 2:05"],
  [{ type: "video", url: "https://x/y.mp4", durationMs: 3_725_000 }, "(video) https://x/y.mp4 1:02:05"],
  [{ type: "location", latitude: 52.5, longitude: 13.4, name: "Café" }, "(location) Café 52.5, 13.4"],
  [{ type: "contact", name: "Bob", uid: "bob", phones: ["+49 1"] }, "(contact) Bob bob +49 1"],
  [{ type: "sticker", emoji: "🎉", pack: "party" }, "(sticker) 🎉 party"],
  [{ type: "call", media: "video", outcome: "missed" }, "(video call) missed"],
  [{ type: "call", media: "audio", outcome: "ringing", call: "c-1" }, "(audio call) is calling"],
  [{ type: "call", media: "audio", outcome: "answered", durationMs: 61_000 }, "(audio call) answered, 1:01"],
  [{ type: "contact", name: "a\u001b[2Jb" }, "(contact) a\ufffd[2Jb"],
  [{ type: "poll", question: "Where to?", options: ["Berlin", "Paris"] }, "(poll) Where to? 1) Berlin 2) Paris"],
  [{ type: "vote", seq: 12, options: [0, 2] }, "(vote on #12) 1, 3"],
  [{ type: "vote", seq: 12, options: [] }, "(vote on #12) taken back"],
  [{ type: "vote", seq: 12 }, "(vote on #12)"],
  [{ type: "x-weather", data: { celsius: 21 } }, '(x-weather) {"celsius":21}'],
  [{ type: "of a newer server" }, "(of a newer server)"],
];

test("a message is shown with its seq, by which edit, recall, react and the others name it", () => {
  const message = {
    conv: "p2p/alice/bob",
    seq: 76,
    from: "bob",
    ts: Date.now(),
    content: { type: "text", data: "hi" },
  };
  const output = { ...openOutput(false), style: (style: string, text: string) => `<${style} ${text}>` };
  const line = (options?: { conv: boolean }) => formatMessage(message as unknown as Message, output, options);
  assert.match(line(), /^<dim \d\d:\d\d> <dim #76> <cyan bob> {2}/);
  assert.match(line({ conv: true }), /^<dim \d\d:\d\d> <dim \[p2p\/alice\/bob\] ><dim #76> <cyan bob> {2}/);
});

for (const [content, words] of shown)
  test(`${content.type} is shown as: ${words}`, () => assert.equal(formatContent(content), words));
