// The store moved to another place with `parley store copy`: whoever starts there finds everything.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { callHttp, type Session } from "@parley/client";
import { conversationsList, historyGet, roomsCreate, roomsMembers, searchMessages } from "@parley/protocol";
import { type Cluster, eventually, programOf, startTestCluster } from "@parley/testkit";
import { connectAs, registerAll } from "./people.ts";
import { freshFolder } from "./process-end.ts";

const program = programOf("packages/cli/src/main.ts");

async function runCopy(t: TestContext, from: string, to: string) {
  const child = spawn(process.execPath, [program, "store", "copy", from, to]);
  t.after(() => child.kill("SIGKILL"));
  let err = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err += text;
  });
  child.stdout.resume();
  const [code] = await once(child, "close");
  return { code, err };
}

/** All that a user sees of their conversations. */
async function seenBy(cluster: Cluster, { token }: Session) {
  const { http } = cluster.run();
  const { conversations } = await callHttp(http, conversationsList, {}, { token });
  const messages = conversations.map(({ conv }) => callHttp(http, historyGet, { conv }, { token }));
  return { conversations, messages: await Promise.all(messages) };
}

test("Parley on a copied store goes on with the same messages, rooms, unread counts and logins", async (t) => {
  const folders = [await freshFolder(t), await freshFolder(t)] as const;
  const first = await startTestCluster(t, { dir: folders[0] });
  await registerAll(first, "alice", "bob", "carol");
  const alice = await connectAs(t, first, "alice");
  let session: Session | undefined;
  const bob = await connectAs(t, first, "bob", { onSession: (now) => (session = now), sendDelivered: false });
  const room = await alice.client.request(roomsCreate, { name: "Moving", members: ["bob", "carol"] });
  for (const text of ["one", "two", "three"]) await alice.client.send(room.conv, text);
  await alice.client.send("user/bob", "hello");
  const sent = Buffer.from("what the file says");
  const { id: file } = await alice.client.upload(sent, { name: "note.txt" });
  await alice.client.send("user/bob", { type: "file", file });
  await eventually(() => bob.texts().includes("three") && bob.texts().includes("hello"));
  bob.client.markRead(room.conv, 2);
  await eventually(async () => {
    const { conversations } = await seenBy(first, session!);
    return conversations.some(({ conv, unread }) => conv === room.conv && unread === 2);
  });
  const before = await seenBy(first, session!);
  const cursors = bob.client.cursors();
  const [from, to] = [first.wiring.storeUrl, `sqlite:${join(folders[1], "data")}`];
  const refused = await runCopy(t, from, to);
  assert.equal(refused.code, 1);
  assert.match(refused.err, /^parley: FROM: [^\n]+log\.db: a running Parley[^\n]+\n$/);
  await Promise.all([alice.client.close(), bob.client.close()]);
  await first.close();
  assert.deepEqual(await runCopy(t, from, to), { code: 0, err: "" });
  assert.equal(existsSync(join(folders[1], "data/search")), false, "the index is not copied");

  await cp(join(folders[0], "secrets"), join(folders[1], "secrets"), { recursive: true });
  const second = await startTestCluster(t, { dir: folders[1] });
  assert.deepEqual(await seenBy(second, session!), before, "bob's token is good, and shows the same");
  await eventually(async () => {
    const asked = { query: `two in:#${room.id}` };
    const { results, incomplete } = await callHttp(second.run().http, searchMessages, asked, session!);
    return results.length === 1 && !incomplete;
  });
  // Not the whole session: that says where the first cluster was.
  const kept = { refreshToken: session!.refreshToken };
  const back = await connectAs(t, second, "bob", { session: kept, cursors });
  assert.deepEqual(back.shown, []);
  assert.deepEqual(Buffer.from(await (await back.client.download(file)).arrayBuffer()), sent);
  const writer = await connectAs(t, second, "alice");
  const members = await writer.client.request(roomsMembers, { id: room.id });
  assert.deepEqual(members.members.map(({ uid }) => uid).sort(), ["alice", "bob", "carol"]);
  const last = before.conversations.find(({ conv }) => conv === room.conv)!.lastSeq;
  assert.equal((await writer.client.send(room.conv, "four")).seq, last + 1);
  await eventually(() => back.texts().includes("four"));
});
