// Downloads that are sent on to S3: by a link that holds for a short time, for who may have the file and nobody else.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { after, test } from "node:test";
import type { Attachment } from "@parley/protocol";
import { eventually, hasS3, startS3 } from "@parley/testkit";
import sharp from "sharp";
import { startHistoryProcess } from "./history-process.ts";
import { startTestApi } from "./surroundings.ts";

if (hasS3()) {
  const { url: BLOBS_URL } = await startS3({ after });
  const api = await startTestApi({ after }, { BLOBS_URL, API_FILE_LINK_SECONDS: "60" });
  startHistoryProcess({ after }, api);
  const [ann, bob, eve] = await Promise.all(["ann", "bob", "eve"].map((uid) => api.user(uid)));
  const ask = (id: string, token: string, headers: Record<string, string> = {}, method = "GET") =>
    fetch(`${api.url}/attachments/${id}`, {
      ...{ method, redirect: "manual" },
      headers: { ...headers, authorization: `Bearer ${token}` },
    });
  const upload = async (bytes: Uint8Array<ArrayBuffer>, name = "a") => {
    const { status, body } = await api.call("POST", `/attachments?name=${encodeURIComponent(name)}`, {
      token: ann!.token,
      raw: bytes,
    });
    assert.equal(status, 201, JSON.stringify(body));
    return body as Attachment;
  };
  const html = Buffer.from("<!doctype html><script>alert(1)</script>");

  test("a link answers the bytes and says of them what api would, to whoever has it, whole or a range", async () => {
    const { id } = await upload(html, "ü (a).png");
    const answer = await ask(id, ann!.token);
    assert.deepEqual([answer.status, answer.headers.get("cache-control")], [307, "no-store"]);
    const link = answer.headers.get("location")!;
    assert.equal(new URL(link).searchParams.get("X-Amz-Expires"), "60");
    const own = await ask(id, ann!.token, {}, "HEAD");
    const whole = await fetch(link);
    assert.deepEqual(Buffer.from(await whole.arrayBuffer()), html);
    for (const name of ["content-type", "content-disposition", "content-length"])
      assert.equal(whole.headers.get(name), own.headers.get(name), name);
    assert.match(whole.headers.get("content-disposition")!, /^attachment;/);
    assert.equal(whole.headers.get("cache-control"), "private, max-age=60");
    const part = await fetch(link, { headers: { range: "bytes=2-8" } });
    assert.deepEqual([part.status, await part.text()], [206, "doctype"]);
    for (const changed of [
      link.replace("attachment", "inline"),
      link.replace("X-Amz-Expires=60", "X-Amz-Expires=6000"),
    ])
      assert.equal((await fetch(changed)).status, 403);
  });

  test("who may not have a file is given no link, and what the caller has is not sent again", async () => {
    const { id, hash } = await upload(randomBytes(1_000));
    const refused = await eventually(async () => {
      const answer = await ask(id, eve!.token);
      return answer.status === 503 ? undefined : answer;
    });
    assert.deepEqual([refused!.status, refused!.headers.get("location")], [404, null]);
    assert.equal((await ask(id, "no token")).status, 401);
    const tag = `"${hash.slice("sha256:".length)}"`;
    assert.equal((await ask(id, ann!.token, { "if-none-match": tag })).status, 304);
    assert.equal((await ask(id, ann!.token, {}, "HEAD")).headers.get("etag"), tag);
  });

  test("a photo that says where it was taken is linked for who uploaded it only; others get other bytes, from here", async () => {
    const gps = { IFD3: { GPSLatitudeRef: "N", GPSLatitude: "50/1 27/1 0/1" } };
    const red = sharp({ create: { width: 8, height: 8, channels: 3, background: "red" } });
    const photo = await red.jpeg().withExif(gps).toBuffer();
    const { id, sharedHash } = await upload(new Uint8Array(photo));
    const json = { to: "user/bob", content: { type: "image", file: id } };
    await eventually(async () => (await api.call("POST", "/messages", { token: ann!.token, json })).status === 200, {
      timeoutMs: 60_000,
    });
    const own = await ask(id, ann!.token);
    assert.deepEqual(Buffer.from(await (await fetch(own.headers.get("location")!)).arrayBuffer()), photo);
    const others = await ask(id, bob!.token);
    assert.equal(others.status, 200);
    const hash = createHash("sha256")
      .update(new Uint8Array(await others.arrayBuffer()))
      .digest("hex");
    assert.deepEqual([`sha256:${hash}`, others.headers.get("etag")], [sharedHash, `"${hash}"`]);
    assert.notEqual(own.status, others.status);
  });

  test("a client that follows redirects has the file, and sends its token to nobody else", async () => {
    const bytes = randomBytes(100_000);
    const { id } = await upload(bytes);
    const headers = { authorization: `Bearer ${ann!.token}`, range: "bytes=10-19" };
    // versitygw refuses a link with a token beside it.
    const part = await fetch(`${api.url}/attachments/${id}`, { headers });
    assert.deepEqual([part.redirected, part.status], [true, 206]);
    assert.deepEqual(Buffer.from(await part.arrayBuffer()), bytes.subarray(10, 20));
  });
}

test("links are refused at the start where files are not in S3", async (t) => {
  await assert.rejects(startTestApi(t, { API_FILE_LINK_SECONDS: "60" }), /API_FILE_LINK_SECONDS: only where BLOBS_URL/);
});
