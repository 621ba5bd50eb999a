// Files from the SDK and the command line, through the whole cluster, to whom they were sent.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";
import { attachmentsInfo } from "@parley/protocol";
import { eventually, programOf, startTestCluster } from "@parley/testkit";
import { connectAs, password, registerAll } from "./people.ts";

const cluster = await startTestCluster({ after });
await registerAll(cluster, "alice", "bob", "carol");
const program = programOf("packages/cli/src/main.ts");
const home = await mkdtemp(join(tmpdir(), "parley-files-"));
after(() => rm(home, { recursive: true, force: true }));

async function parley(user: string, ...args: string[]) {
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const base = { PATH, NODE_COMPILE_CACHE, HOME: home, PARLEY_URL: cluster.run().http, PARLEY_DIR: cluster.dir };
  const options = { cwd: home, env: { ...base, PARLEY_PASSWORD: password } };
  return promisify(execFile)(process.execPath, [program, ...args, "--user", user], options).then(
    ({ stdout }) => ({ code: 0, out: stdout, err: "" }),
    ({ code, stdout, stderr }) => ({ code: Number(code), out: String(stdout), err: String(stderr) }),
  );
}

test("a file that the SDK uploads and sends is the receiver's as soon as the message is there, and nobody else's", async (t) => {
  const bytes = randomBytes(700_000);
  const [alice, bob, carol] = await Promise.all(["alice", "bob", "carol"].map((uid) => connectAs(t, cluster, uid)));
  const { id, name, size } = await alice!.client.upload(new File([bytes], "../data.bin"));
  assert.deepEqual([name, size], ["data.bin", 700_000]);
  await assert.rejects(bob!.client.download(id), { code: "not_found" });
  await alice!.client.send("user/bob", { type: "file", file: id, name });
  const message = await eventually(() => bob!.shown.find(({ content }) => content.type === "file"));
  const file = String((message.content as { file?: unknown }).file);
  assert.deepEqual(Buffer.from(await (await bob!.client.download(file)).arrayBuffer()), bytes);
  const part = await bob!.client.download(`/attachments/${file}`, { range: { start: 5, end: 9 } });
  assert.deepEqual(Buffer.from(await part.arrayBuffer()), bytes.subarray(5, 10));
  await assert.rejects(carol!.client.download(file), { code: "not_found" });
  await bob!.client.forward(message.conv, message.seq, "user/carol");
  await eventually(() => carol!.shown.some(({ forwarded }) => forwarded?.from === "alice"));
  assert.equal((await (await carol!.client.download(file)).arrayBuffer()).byteLength, 700_000, "with a forward");
  await assert.rejects(carol!.client.download("../../x"), { code: "invalid_packet" });
});

test("a large file that the SDK uploads is whole although api is killed half-way, and its progress never goes back", async (t) => {
  const bytes = randomBytes(30_000_000);
  const alice = await connectAs(t, cluster, "alice");
  const seen: number[] = [];
  const uploaded = alice.client.upload(bytes, {
    name: "film.bin",
    onProgress: (kept, size) => {
      assert.equal(size, bytes.length);
      if (seen.push(kept) === 1) void cluster.kill("api");
    },
  });
  const { id, name, hash } = await uploaded;
  assert.deepEqual([name, hash], ["film.bin", `sha256:${createHash("sha256").update(bytes).digest("hex")}`]);
  assert.deepEqual(Buffer.from(await (await alice.client.download(id)).arrayBuffer()), bytes);
  assert.deepEqual(
    seen,
    [...seen].sort((a, b) => a - b),
  );
  assert.ok(seen.length >= 4 && seen.at(-1) === bytes.length, `it went in parts: ${seen}`);
});

test("an upload that its caller gives up ends, by the caller's own reason", async (t) => {
  const alice = await connectAs(t, cluster, "alice");
  const given = new AbortController();
  const reason = new Error("given up");
  const onProgress = () => given.abort(reason);
  const uploaded = alice.client.upload(randomBytes(20_000_000), { signal: given.signal, onProgress });
  await assert.rejects(uploaded, (error) => error === reason);
});

test("parley send --file and parley get carry a file as it is; what cannot be had changes nothing on disk", async () => {
  const bytes = randomBytes(9_000_000);
  await writeFile(join(home, "photo.bin"), bytes);
  const sent = await parley("alice", "send", "bob", "--file", "photo.bin", "look at this", "--json");
  assert.equal(sent.code, 0, sent.err);
  const history = await parley("bob", "history", "alice", "--json");
  const { content } = JSON.parse(history.out.trim().split("\n").at(-1)!);
  assert.deepEqual(
    [content.type, content.name, content.size, content.data],
    ["file", "photo.bin", 9_000_000, "look at this"],
  );
  assert.deepEqual(Object.keys(content).sort(), ["data", "file", "hash", "mime", "name", "size", "type", "url"]);
  const info = await parley("bob", "info", content.url);
  assert.match(info.out, /^name: photo\.bin\n(.*\n)*size: 9000000 bytes\nhash: sha256:[0-9a-f]{64}\n$/);
  const got = await parley("bob", "get", content.url, "-o", "copy.bin", "--json");
  assert.equal(got.code, 0, got.err);
  assert.equal(JSON.parse(got.out).size, 9_000_000);
  assert.deepEqual(await readFile(join(home, "copy.bin")), bytes);
  const before = await readdir(home);
  const stranger = await parley("carol", "get", content.file, "-o", "copy.bin");
  assert.deepEqual([stranger.code, stranger.err.trim().split("\n").length], [1, 1]);
  assert.deepEqual(await readFile(join(home, "copy.bin")), bytes);
  assert.deepEqual(await readdir(home), before);
  assert.equal((await parley("alice", "send", "bob", "--file", "not there")).code, 2);
  assert.equal((await parley("alice", "info", "not a file")).code, 2);
});

// 3 × 2 pixels.
const picture = "iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAIAAAASFvFNAAAAEElEQVR4nGM4IacBQQxwFgBDHAZVhuWbagAAAABJRU5ErkJggg==";

const recordings = new URL("../../services/api/test/recordings/", import.meta.url);
/** As it is in no other test: what is known already is told at once. */
const pictureOnce = () => Buffer.concat([Buffer.from(picture, "base64"), randomBytes(8)]);

test("a picture and a recording that the SDK sends say how large and how long they are, in the words of attachments.info", async (t) => {
  const [alice, bob] = await Promise.all(["alice", "bob"].map((uid) => connectAs(t, cluster, uid)));
  const options = { waitMs: 120_000 };
  const voice = new File([await readFile(new URL("opus.ogg", recordings))], "voice.ogg");
  for (const [file, type] of [
    [new File([pictureOnce()], "picture.png"), "image"],
    [voice, "audio"],
  ] as const) {
    const content = await alice!.client.uploadContent(file, options);
    await alice!.client.send("user/bob", { ...content, data: "look" });
    const { content: shown } = await eventually(() => bob!.shown.find((one) => one.content.type === type));
    assert.deepEqual(shown, { ...content, data: "look" });
    const info = await bob!.client.request(attachmentsInfo, { id: String(content.file) });
    const { id, media, ...rest } = info;
    const { state, ...known } = media!;
    assert.deepEqual(content, { type, file: id, ...rest, ...known });
    assert.equal(state, "ready");
    if (type === "image") assert.deepEqual([known.width, known.height, known.thumbnail?.width], [3, 2, 3]);
    else assert.ok(Math.abs(known.durationMs! - 2_400) < 100 && known.waveform!.length > 30, JSON.stringify(known));
  }
  const { media, ...content } = await alice!.client.uploadContent(new File([pictureOnce()], "p.png"), { waitMs: 0 });
  assert.deepEqual([media, content.width, content.name], [undefined, undefined, "p.png"]);
});

test("parley send --file says how large a picture is once that is known, and waits for nothing with --wait-media 0", async () => {
  await writeFile(join(home, "wide.png"), pictureOnce());
  await writeFile(join(home, "soon.png"), pictureOnce());
  await parley("alice", "send", "bob", "--file", "wide.png", "--wait-media", "120");
  await parley("alice", "send", "bob", "--file", "soon.png", "--wait-media", "0");
  const history = await parley("bob", "history", "alice", "--limit", "2", "--json");
  const [wide, soon] = history.out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line).content);
  assert.deepEqual([wide.type, wide.width, wide.height, wide.thumbnail.mime], ["image", 3, 2, "image/webp"]);
  assert.deepEqual([soon.type, soon.name, soon.width], ["image", "soon.png", undefined]);
  assert.equal((await parley("alice", "send", "bob", "--file", "soon.png", "--wait-media", "soon")).code, 2);
});

test("parley info tells the size of a picture once it is known, and parley get --thumbnail saves a small one", async () => {
  await writeFile(join(home, "picture.png"), Buffer.from(picture, "base64"));
  const sent = await parley("alice", "send", "bob", "--file", "picture.png", "--json");
  assert.equal(sent.code, 0, sent.err);
  const history = await parley("bob", "history", "alice", "--json");
  const { file, type } = JSON.parse(history.out.trim().split("\n").at(-1)!).content;
  assert.equal(type, "image");
  const info = await eventually(async () => {
    const { out } = await parley("bob", "info", file);
    return /^pixels: 3 × 2$/m.test(out) && out;
  });
  assert.match(info, /^thumbnail: 3 × 2, \d+ bytes$/m);
  const got = await parley("bob", "get", file, "--thumbnail", "-o", "small.webp");
  assert.equal(got.code, 0, got.err);
  assert.ok((await readFile(join(home, "small.webp"))).length > 0);
  const none = await parley("bob", "get", "f-abcdefghijklmnopqrstuvwxyz234567", "--thumbnail", "-o", "none.webp");
  assert.deepEqual([none.code, none.err.trim().split("\n").length], [1, 1]);
});
