import assert from "node:assert/strict";
import { test } from "node:test";
import { at, bytesOf, direct, inRoom, jsonOf, notices, seen, tokens, write } from "../../test/notices.ts";
import type { Outgoing } from "../providers/outgoing.ts";
import type { Addressee } from "./addressee.ts";
import type { Notice } from "./notice.ts";
import { catalogue, type Language } from "./phrases/catalogue.ts";
import { nameMost } from "./words.ts";
import { writeNotification } from "./write-notification.ts";

const languages = Object.keys(catalogue) as Language[];
const limits = { apns: 4_096, voip: 5_120, fcm: 4_096 - 256, web: 3_993 };
const limitOf = ({ kind }: Addressee) =>
  ({ apns: limits.apns, "apns-voip": limits.voip, fcm: limits.fcm, webpush: limits.web })[kind];

const fillers: Readonly<Record<string, string>> = {
  letters: "a",
  "what JSON escapes": '"\\',
  families: "👨‍👩‍👧‍👦",
  Devanagari: "क्षि",
  Chinese: "字",
  "Arabic with vowels": "مَ",
};

for (const [name, to] of Object.entries({ apns: tokens.apns, fcm: tokens.fcm, web: tokens.web }))
  test(`${name}: a text that just fits goes whole, to the byte; one more, and it is cut at a grapheme`, () => {
    const most = limitOf(to);
    const saying = (data: string) => write({ ...inRoom, content: { type: "text", data } }, to);
    const rest = most - bytesOf(saying("a")) + 1;
    const full = saying("a".repeat(rest));
    assert.equal(bytesOf(full), most);
    assert.equal(seen(full).body, `Alice Ng: ${"a".repeat(rest)}`);
    const over = saying("a".repeat(rest + 1));
    assert.equal(bytesOf(over), most);
    assert.equal(seen(over).body, `Alice Ng: ${"a".repeat(rest - 3)}…`);
    for (const [what, filler] of Object.entries(fillers))
      for (let before = 0; before < 32; before += 1) {
        const outgoing = saying("a".repeat(before) + filler.repeat(5_000));
        const body = `${seen(outgoing).body}`.replaceAll(/[\u2068\u2069]/gu, "");
        const graphemes = [...new Intl.Segmenter().segment(filler)].map(({ segment }) => segment);
        const longest = Math.max(...graphemes.map((one) => Buffer.byteLength(JSON.stringify(one)) - 2));
        assert.ok(bytesOf(outgoing) <= most && bytesOf(outgoing) > most - longest - 1, `${what} ${bytesOf(outgoing)}`);
        const kept = body.slice("Alice Ng: ".length + before, -1);
        assert.ok(body.endsWith("…") && (filler.repeat(5_000) + filler).startsWith(kept), what);
        const parts = [...new Intl.Segmenter().segment(kept)].map(({ segment }) => segment);
        assert.ok(
          parts.every((part) => graphemes.includes(part)),
          what,
        );
      }
  });

const hostile: Readonly<Record<string, string>> = {
  long: "n".repeat(60_000),
  escaped: '"\\'.repeat(30_000),
  families: "👨‍👩‍👧‍👦".repeat(5_000),
  "one endless cluster": "👨‍".repeat(20_000),
  "piled up": `a${"\u0335".repeat(60_000)}`,
  "lone surrogates": "\ud83d".repeat(60_000),
  NULs: "\u0000".repeat(60_000),
  overrides: `${"\u202e".repeat(30_000)}name`,
  Arabic: "لَ".repeat(30_000),
  breaks: "Alice\nBob: hi\n".repeat(5_000),
};

/** Of everything the longest that the doors let in. */
const longest = {
  conv: `dev/${"u".repeat(32)}/${"v".repeat(32)}/${"%41".repeat(85)}`,
  id: "\u{1F600}".repeat(32),
  seq: 2 ** 50,
  badge: 2 ** 31,
  thumbnailUrl: `https://x.example/${"s".repeat(1_980)}`,
};
const longCall = { type: "call", media: "video", call: "\u{1F600}".repeat(32) };
const longText = { type: "text", data: "lunch? ".repeat(10_000) };

for (const [what, text] of Object.entries(hostile))
  test(`names and texts that are ${what} leave a notification that its provider takes, and room for the text`, () => {
    const from = { uid: "u".repeat(32), name: text };
    const room = { id: "r".repeat(128), name: text };
    const all = Object.values(notices).flatMap(({ kind }): Notice[] => [
      { ...direct, ...longest, kind, from, content: kind === "call" ? longCall : { type: "text", data: text } },
      { ...direct, ...longest, kind, from, room, mentioned: true, content: kind === "call" ? longCall : longText },
    ]);
    for (const notice of all)
      for (const language of languages)
        for (const to of Object.values(tokens)) {
          const outgoing = writeNotification({ ...notice, language }, to, at);
          if (outgoing) assertTaken(outgoing, notice, limitOf(to));
        }
  });

function assertTaken(outgoing: Outgoing, { kind, room }: Notice, most: number): void {
  const what = `${kind} ${outgoing.provider}`;
  assert.ok(bytesOf(outgoing) <= most, `${what}: ${bytesOf(outgoing)}`);
  assert.ok(jsonOf(outgoing).isWellFormed(), what);
  if (kind === "read") return;
  const { title = "", body = "" } = seen(outgoing);
  assert.ok(title !== "" && title !== "…", what);
  assert.ok([...new Intl.Segmenter().segment(title)].length <= nameMost.graphemes, what);
  for (const line of [title, body]) {
    assert.doesNotMatch(line, /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066\u2067]/u, what);
    assert.equal(line.split("\u2068").length, line.split("\u2069").length, what);
  }
  if (kind === "message" && room) assert.ok(body.includes("lunch? ".repeat(50)), `${what}: ${body}`);
}
