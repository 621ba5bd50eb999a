// attachments.list while history cannot say of every file who may have it.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { AppError, type AttachmentRequest, subjects } from "@parley/protocol";
import { answerJson } from "@parley/runtime";
import { serviceContext } from "@parley/testkit";
import { startTestApi } from "./surroundings.ts";

const api = await startTestApi({ after }, { API_MEDIA_WORKERS: "0" });
const { log } = serviceContext("test");
const unknown = new Set<string>();
const mayFetch = async ({ file }: AttachmentRequest) => {
  if (unknown.has(file)) throw new AppError("unavailable");
  return { may: false };
};
answerJson(api.nats, subjects.attachmentAllowed, "test", mayFetch, log);

test("attachments.list tells what it can, and which files it could not tell of and why: these are not left out as if they were not there", async () => {
  const [ann, bob] = [await api.user("ann"), await api.user("bob")];
  const upload = async (token: string, text: string): Promise<string> =>
    (await api.call("POST", "/attachments", { token, raw: text })).body.id;
  const [own, asked, refused] = [
    await upload(ann.token, "a"),
    await upload(bob.token, "b"),
    await upload(bob.token, "c"),
  ];
  unknown.add(asked);
  const list = (...ids: string[]) =>
    api.call("GET", `/attachments/info?${ids.map((id) => `ids=${id}`).join("&")}`, { token: ann.token });
  const { status, body } = await list(asked, own, refused, `f-${"a".repeat(32)}`);
  assert.equal(status, 200);
  assert.deepEqual(
    body.attachments.map(({ id }: { id: string }) => id),
    [own],
  );
  assert.deepEqual(
    body.failed.map(({ id, code }: { id: string; code: string }) => [id, code]),
    [[asked, "unavailable"]],
  );
  const none = await list(asked);
  assert.deepEqual([none.status, none.body.error.code], [503, "unavailable"]);
  unknown.clear();
  const later = await list(asked, own);
  assert.deepEqual([later.body.attachments.length, later.body.failed], [1, undefined]);
});
