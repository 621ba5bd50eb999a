import assert from "node:assert/strict";
import { test } from "node:test";
import { disposition, harmlessName } from "./names.ts";

test("a path-like name is its last part, and one that a system would take for more is made harmless", () => {
  const names: [given: string, kept: string][] = [
    ["holiday.jpg", "holiday.jpg"],
    ["../../etc/passwd", "passwd"],
    ["C:\\Users\\me\\letter.docx", "letter.docx"],
    ["..", "file"],
    ["", "file"],
    ["/", "file"],
    [".htaccess", "htaccess"],
    ["CON", "_CON"],
    ["nul.txt", "_nul.txt"],
    ["a\0b\r\nSet-Cookie: x.txt", "abSet-Cookie x.txt"],
    ["photo\u202egpj.exe", "photogpj.exe"],
    ["half\ud800.txt", "half.txt"],
    ['a"b<c>|?*.txt', "abc.txt"],
    ["день 1.png", "день 1.png"],
    ["trailing. . ", "trailing"],
  ];
  for (const [given, kept] of names) assert.equal(harmlessName(given), kept, JSON.stringify(given));
});

test("a long name keeps its ending and whole characters", () => {
  const short = harmlessName(`${"😀".repeat(200)}.jpeg`);
  assert.ok(Buffer.byteLength(short) <= 200 && short.endsWith("😀.jpeg"));
});

test("the header's name is whole for who reads it, and never ends the header", () => {
  assert.equal(disposition("inline", "a.png"), "inline; filename=\"a.png\"; filename*=UTF-8''a.png");
  const header = disposition("attachment", `день"\\'(1).txt`);
  assert.match(header, /^attachment; filename="____[_]+'\(1\)\.txt"; filename\*=UTF-8''%D0%B4[%0-9A-Fa-f.txt]+$/);
});
