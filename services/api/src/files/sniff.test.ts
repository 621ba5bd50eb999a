import assert from "node:assert/strict";
import { test } from "node:test";
import { mayBeShown, sniff } from "./sniff.ts";

const png = Buffer.from("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489", "hex");

test("a file is what its bytes are", async () => {
  const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from("hello there", "utf16le")]);
  const kinds: [Buffer | string, string][] = [
    [png, "image/png"],
    ["GIF89a\x01\0\x01\0", "image/gif"],
    ["%PDF-1.7\n", "application/pdf"],
    [utf16, "text/plain"],
    ["plain words, día, 日本語", "text/plain"],
    [Buffer.from("日本語").subarray(0, 8), "text/plain"],
    ["<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "image/svg+xml"],
    ["<?xml version='1.0'?>\n<svg:svg/>", "image/svg+xml"],
    ["<!DOCTYPE html><p>", "text/html"],
    ["words and then <script>alert(1)</script>", "text/html"],
    ["<?xml version='1.0'?><a/>", "text/html"],
    ["<?xml version='1.0'?><feed/>", "application/xml"],
    ["", "application/octet-stream"],
    [Buffer.from([0, 1, 2, 3]), "application/octet-stream"],
    [Buffer.from([0xc3, 0x28, 0x41]), "application/octet-stream"],
  ];
  for (const [bytes, type] of kinds) assert.equal(await sniff(Buffer.from(bytes as string)), type, String(bytes));
});

test("only what browsers show without running it may be shown", () => {
  const shown = ["image/png", "image/jpeg", "video/mp4", "audio/ogg", "text/plain"];
  const saved = ["text/html", "image/svg+xml", "application/xml", "application/pdf", "application/octet-stream"];
  assert.deepEqual(shown.filter(mayBeShown), shown);
  assert.deepEqual(saved.filter(mayBeShown), []);
});
