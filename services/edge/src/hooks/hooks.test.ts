import assert from "node:assert/strict";
import { test } from "node:test";
import { readAnswer } from "./hooks.ts";

const ok = Buffer.from('{"result":"ok"}');

test("max-age is read from Cache-Control as it may be written, and nothing else is", () => {
  const cases: [string | undefined, number][] = [
    ["max-age=300", 300],
    ["private, max-age=60", 60],
    ["Max-Age=5, must-revalidate", 5],
    ["s-maxage=60", 0],
    ["x-max-age=60", 0],
    ["max-age=-1", 0],
    ["max-age=abc", 0],
    ["max-age=99999999999", 0],
    ["no-cache", 0],
    [undefined, 0],
  ];
  for (const [header, seconds] of cases) assert.equal(readAnswer(200, header, ok).maxAgeSeconds, seconds, header);
});

test("only status 200 with a result that VerneMQ knows is an answer", () => {
  const verdict = (status: number, text: string) => readAnswer(status, undefined, Buffer.from(text)).verdict;
  assert.equal(verdict(200, '{"result":"ok"}'), "ok");
  assert.equal(verdict(200, '{"result":"next"}'), "refused");
  assert.equal(verdict(200, '{"result":{"error":"not_allowed"}}'), "refused");
  assert.equal(verdict(200, '{"result":{"error":7}}'), "refused");
  for (const text of [
    "",
    "null",
    "[]",
    "{}",
    '{"result":"OK"}',
    '{"result":null}',
    '{"result":{}}',
    '{"result":["ok"]}',
  ])
    assert.equal(verdict(200, text), "failed", text);
  for (const status of [0, 201, 204, 302, 400, 500]) assert.equal(verdict(status, '{"result":"ok"}'), "failed");
});
