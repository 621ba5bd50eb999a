import assert from "node:assert/strict";
import { test } from "node:test";
import { attachmentOf, attachmentUrl, sentFile } from "./attachments.ts";

const id = `f-${"abcdefgh234567xy".repeat(2)}`;

test("a message refers to an attachment by its id or by its path, in either spelling", () => {
  for (const content of [
    { file: id },
    { url: attachmentUrl(id) },
    { url: `https://chat.example/attachements/${id}/` },
    { url: `/attachments/${id}?x=1` },
  ])
    assert.equal(attachmentOf({ type: "file", ...content }), id);
});

test("what is no id of an attachment is passed through and refers to none", () => {
  for (const content of [{}, { file: 7 }, { file: `${id}a` }, { file: "../x" }, { url: `/files/${id}` }, { url: {} }])
    assert.equal(attachmentOf(content), undefined);
});

test("a sender must have a file that is named by its id or path; an address with a host may be another server's", () => {
  for (const content of [
    { file: id },
    { url: attachmentUrl(id) },
    { file: id, url: `https://chat.example/attachments/${id}` },
  ])
    assert.deepEqual(sentFile(content), { file: id, mustHaveFile: true });
  assert.deepEqual(sentFile({ url: `https://chat.example/attachments/${id}` }), { file: id });
  assert.equal(sentFile({ file: "../x" }), undefined);
});
