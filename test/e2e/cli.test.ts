import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, type TestContext, test } from "node:test";
import { callHttp } from "@parley/client";
import { fileCache } from "@parley/client/node";
import { historyGet, linksPreview, messagesSend } from "@parley/protocol";
import { eventually, startTestCluster } from "@parley/testkit";
import * as mosquitto from "./mosquitto.ts";
import { runParley, startParley } from "./parley.ts";
import { connectAs, password, registerAll } from "./people.ts";
import { openStock } from "./stock.ts";

const cluster = await startTestCluster({ after }, { env: { LINK_PREVIEW_ALLOW: "127.0.0.1" } });
const home = await mkdtemp(join(tmpdir(), "parley-cli-"));
after(() => rm(home, { recursive: true, force: true }));
await registerAll(cluster, "alice", "bob", "carol", "dave");

const start = (t: TestContext, args: string[], env?: Record<string, string>) =>
  startParley(t, { cluster, home, env }, args);
const run = (t: TestContext, args: string[], options: { stdin?: string; env?: Record<string, string> } = {}) =>
  runParley(t, { cluster, home, env: options.env }, args, options.stdin);

test("login keeps the session for the other commands, for its owner alone", async (t) => {
  const noPassword = { env: {} };
  assert.equal((await run(t, ["rooms", "list", "--user", "carol"], noPassword)).code, 3);
  const { code, out } = await run(t, ["login", "--user", "carol"], { stdin: `${password}\n`, ...noPassword });
  assert.deepEqual([code, out.includes("carol:cli")], [0, true]);
  const { mode } = await stat(join(home, ".config/parley/credentials.json"));
  assert.equal(mode & 0o777, 0o600);
  const sent = await run(t, ["send", "dave", "hi", "--json"], noPassword);
  assert.equal(sent.code, 0, sent.err);
  assert.equal(JSON.parse(sent.out).conv, "p2p/carol/dave");
});

test("a new account can be registered, once", async (t) => {
  const first = await run(t, ["register", "--user", "newcomer", "--json"]);
  assert.deepEqual([first.code, JSON.parse(first.out).clientId], [0, "newcomer:cli"]);
  const second = await run(t, ["register", "--user", "newcomer"]);
  assert.deepEqual([second.code, second.err.trim().split("\n").length], [1, 1]);
});

test("a password is changed, a device logged out, and an account erased only by who says its name and password", async (t) => {
  const as = ["--user", "leaver"];
  const bare = { env: {} };
  assert.equal((await run(t, ["register", ...as])).code, 0);
  const twoLines = { stdin: `${password}\n`, ...bare };
  const newFile = join(home, "new-password.txt");
  await writeFile(newFile, "another good password\n");
  const wrong = await run(t, ["password", ...as, "--new-password-file", newFile], { stdin: "wrong\n", ...bare });
  assert.equal(wrong.code, 3, wrong.err);
  const changed = await run(t, ["password", ...as, "--new-password-file", newFile], twoLines);
  assert.deepEqual([changed.code, changed.out.trim()], [0, "changed; every other login is ended"]);
  assert.equal((await run(t, ["rooms", "list", ...as], bare)).code, 0, "this login goes on");
  assert.equal((await run(t, ["login", ...as], twoLines)).code, 3);
  const out = await run(t, ["logout", ...as, "--json"], bare);
  assert.deepEqual(JSON.parse(out.out), { loggedOut: "leaver:cli" });
  assert.equal((await run(t, ["rooms", "list", ...as], bare)).code, 3);
  assert.equal((await run(t, ["login", ...as, "--password-file", newFile], bare)).code, 0);
  for (const args of [
    ["erase", "alice"],
    ["erase", "leaver"],
  ])
    assert.equal((await run(t, [...args, ...as], bare)).code, 2, "nobody is erased by mistake");
  assert.equal((await run(t, ["erase", "leaver", "--yes", ...as], { stdin: "wrong\n", ...bare })).code, 3);
  const erased = await run(t, ["erase", "leaver", "--yes", ...as, "--password-file", newFile], bare);
  assert.equal(erased.code, 0, erased.err);
  assert.equal((await run(t, ["profile", "leaver", "--user", "alice"])).code, 1);
});

test("every wrong use is told in a line and ends with 2, a wrong password with 3, no server with 4", async (t) => {
  const as = ["--user", "alice"];
  const nowhere = ["--server", "http://127.0.0.1:9"];
  const wrong: [args: string[], code: number][] = [
    [["sned", "bob", "hi"], 2],
    [["send", "bob", "hi", "--colour"], 2],
    [["send"], 2],
    [["send", "bob/x/y", "hi", ...as], 2],
    [["send", "bob", "", ...as], 2],
    [["send", "bob", " ", "\n", ...as], 2],
    [["send", "bob", ...as], 2],
    [["send", "bob", "-", "--json", ...as], 2],
    [["send", "bob", "hi", "--reply", "first", ...as], 2],
    [["send", "bob", "{", "--type", "x-a", ...as], 2],
    [["send", "bob", "hi", "--reply", "0", ...as], 2],
    [["send", "bob", "hi", "--wait", "-1", ...as], 2],
    [["send", "bob", "no link", "--preview", ...as], 2],
    [["history", "bob", "--limit", "many", ...as], 2],
    [["history", "bob", "--limit", "0", ...as], 2],
    [["history", "bob", "--all", "--after", "3", ...as], 2],
    [["history", "bob", "--all", "--limit", "-5", ...as], 2],
    [["history", "bob", "--before", "0", ...as], 2],
    [["history", "bob", "--after", "-1", ...as], 2],
    [["chat", "bob", "--earlier", "-1", ...as], 2],
    [["listen", "--count", "0", ...nowhere, ...as], 2],
    [["listen", "--count", "-1", ...nowhere, ...as], 2],
    [["listen", "--count", "1.5", ...nowhere, ...as], 2],
    [["listen", "--from", "yesterday", ...as], 2],
    [["rooms", "members", "no room", ...as], 2],
    [["rooms", "rename", "x"], 2],
    [["send", "bob", "hi", "--server", "nowhere"], 2],
    [["login", ...as, "--password", "wrong"], 3],
    [["send", "bob", "hi", ...nowhere, "--wait", "0", ...as], 4],
    [["chat", "bob", ...nowhere, ...as], 4],
    [["send", "nobody", "hi", ...as], 1],
    [["chat", "#nowhere", ...as], 1],
  ];
  const ends = wrong.map(async ([args, expected]) => {
    const { code, err, out } = await run(t, args);
    assert.equal(code, expected, `${args.join(" ")}: ${err}`);
    assert.ok(err.trim() !== "" && !/\n\s+at /.test(err) && out === "", `${args.join(" ")}: ${err}${out}`);
  });
  await Promise.all(ends);
  const json = await run(t, ["send", "nobody", "hi", "--json", ...as]);
  assert.equal(JSON.parse(json.err).error.code, "not_found");
});

test("send reads stdin, history prints what was sent, listen streams it as JSON lines", async (t) => {
  const listening = start(t, ["listen", "alice", "--user", "bob", "--json", "--count", "2"]);
  const note = start(t, ["listen", "--user", "bob"]);
  await eventually(() => note.err().includes("listening as bob:cli"));
  note.child.kill("SIGINT");
  assert.equal(await note.exit, 0);
  // The other one says nothing with --json: it is there when it holds its device.
  const sent = await run(t, ["send", "bob", "-", "--user", "alice"], { stdin: "two\nlines\n" });
  assert.match(sent.out, /^✓ p2p\/alice\/bob #\d+\n$/);
  await eventually(async () => {
    await run(t, ["send", "bob", "more", "--user", "alice"]);
    return listening.lines().length >= 2;
  });
  assert.equal(await listening.exit, 0);
  for (const line of listening.lines()) assert.equal(JSON.parse(line).from, "alice");
  const { out } = await run(t, ["history", "bob", "--user", "alice", "--all", "--json"]);
  const texts = out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line).content.data);
  assert.deepEqual(texts.slice(0, 2), ["two\nlines", "more"]);
});

test("send --preview sends what the page says along, and sends without it where there is none", async (t) => {
  const server = createServer((_, response) => {
    response.setHeader("content-type", "text/html").end("<title>A page</title>");
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const as = ["--user", "alice"];
  const sent = await run(t, ["send", "dave", `look: http://127.0.0.1:${port}/a`, "--preview", "--json", ...as]);
  assert.equal(sent.code, 0, sent.err);
  const without = await run(t, ["send", "dave", `http://127.0.0.2:${port}/`, "--preview", ...as]);
  assert.deepEqual([without.code, /sent without a preview/.test(without.err)], [0, true], without.err);
  const { client: dave } = await connectAs(t, cluster, "dave");
  const { messages } = await dave.request(historyGet, { conv: "p2p/alice/dave", after: JSON.parse(sent.out).seq - 1 });
  assert.deepEqual(messages[0]?.content, {
    type: "text",
    data: `look: http://127.0.0.1:${port}/a`,
    preview: { url: `http://127.0.0.1:${port}/a`, title: "A page", site: `127.0.0.1:${port}` },
  });
  assert.ok(messages[1] && !("preview" in messages[1].content));
  const asked = await dave.request(linksPreview, { url: `http://127.0.0.1:${port}/a` });
  assert.equal(asked.title, "A page", "as MQTT answers the SDK");
  const shown = await run(t, ["history", "alice", "--user", "dave"]);
  assert.ok(shown.out.includes(`[A page, 127.0.0.1:${port}]`), shown.out);
});

test("history pages through a long conversation, newest, oldest or a range of it", async (t) => {
  const { client } = await connectAs(t, cluster, "dave");
  await Promise.all(Array.from({ length: 620 }, (_, n) => client.send("user/dave", `n${n + 1}`)));
  const seqs = async (...flags: string[]) => {
    const { out } = await run(t, ["history", "dave", "--user", "dave", "--json", ...flags]);
    const found = out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).seq as number);
    return [found.length, found[0], found.at(-1)];
  };
  assert.deepEqual(await seqs(), [50, 571, 620]);
  assert.deepEqual(await seqs("--all"), [620, 1, 620]);
  assert.deepEqual(await seqs("--limit", "600"), [600, 21, 620]);
  assert.deepEqual(await seqs("--limit", "10", "--before", "100"), [10, 90, 99]);
  assert.deepEqual(await seqs("--limit", "550", "--after", "5"), [550, 6, 555]);
});

test("rooms are made, filled, listed, left", async (t) => {
  const as = (user: string, ...args: string[]) => run(t, ["rooms", ...args, "--user", user]);
  assert.match((await as("alice", "create", "General", "bob", "--id", "general")).out, /room\/general {2}General/);
  assert.match((await as("bob", "list")).out, /room\/general/);
  assert.match((await as("alice", "invite", "#general", "carol")).out, /added carol/);
  assert.equal((await as("alice", "members", "general")).out, "alice  owner\nbob  member\ncarol  member\n");
  assert.equal((await as("dave", "join", "general")).code, 1);
  assert.match((await as("alice", "remove", "general", "carol")).out, /removed carol/);
  assert.match((await as("bob", "leave", "general")).out, /left/);
  assert.equal((await as("alice", "members", "general")).out, "alice  owner\n");
});

test("a conversation is marked as read, delivered and unread, and its sender is told how far", async (t) => {
  const as = (...args: string[]) => run(t, [...args, "--user", "dave"]);
  const conv = "room/marked";
  assert.equal((await run(t, ["rooms", "create", "Marked", "dave", "--id", "marked", "--user", "alice"])).code, 0);
  for (const text of ["one", "two", "three"]) await run(t, ["send", "#marked", text, "--user", "alice"]);
  const listed = async () =>
    (await as("conversations")).out.split("\n").find((line) => line.startsWith(conv)) ?? assert.fail();
  const receipts = async (seq: string) =>
    JSON.parse((await run(t, ["receipts", "#marked", seq, "--json", "--user", "alice"])).out);
  assert.match(await listed(), /Marked \(3\)/);
  assert.equal((await as("mark", "#marked", "delivered")).out, `delivered up to #4 in ${conv}\n`);
  assert.equal((await as("read", "#marked", "3")).out, `read up to #3 in ${conv}\n`);
  assert.match(await listed(), /Marked \(1\)/);
  const [third, fourth] = [await receipts("3"), await receipts("4")];
  assert.deepEqual([third.read, fourth.read, fourth.delivered], [1, 0, 1]);
  assert.equal((await as("read", "#marked")).out, `read up to #4 in ${conv}\n`);
  assert.doesNotMatch(await listed(), /Marked \(/);
  assert.equal((await as("mark", "#marked", "unread")).out, `marked as unread: ${conv}\n`);
  assert.match(await listed(), /\[marked unread\]/);
  assert.deepEqual(JSON.parse((await as("mark", "#marked", "read", "--json")).out), { conv, delivered: 4, read: 4 });
  assert.doesNotMatch(await listed(), /marked unread/);
  for (const wrong of [
    ["mark", "#marked", "seen"],
    ["mark", "#marked", "unread", "3"],
    ["read", "#marked", "x"],
  ])
    assert.equal((await as(...wrong)).code, 2, wrong.join(" "));
  const stranger = await run(t, ["read", "#marked", "--user", "bob"]);
  assert.equal(stranger.code, 1);
  assert.match(stranger.err, /there is no room marked/);
});

test("a room is governed: roles, silence, bans, settings, links, its end", async (t) => {
  const as = (user: string, ...args: string[]) => run(t, ["rooms", ...args, "--user", user]);
  const told = async (expected: RegExp, user: string, ...args: string[]) => {
    const { code, out, err } = await as(user, ...args);
    assert.equal(code, 0, err);
    assert.match(out, expected);
    return out;
  };
  await told(/room\/forum/, "alice", "create", "Forum", "bob", "--id", "forum");
  await told(/admin: bob/, "alice", "role", "#forum", "bob", "admin");
  assert.equal((await as("alice", "role", "#forum", "bob", "king")).code, 2);
  await told(
    /Forum/,
    "bob",
    "set",
    "#forum",
    "--topic",
    "tea",
    "--setting",
    "join=ask",
    "--setting",
    "slowModeSeconds=30",
  );
  assert.match((await as("bob", "set", "#forum", "--setting", "join=never")).err, /open.*ask.*invite/);
  await told(/topic {2}tea[\s\S]*join {2}ask/, "carol", "show", "#forum");
  await told(/asked to be let into/, "carol", "join", "#forum");
  await told(/room\/forum {2}Forum {2}asked/, "carol", "invitations");
  await told(/carol {2}asking/, "bob", "members", "#forum", "--asking");
  await told(/let in carol/, "bob", "admit", "#forum", "carol");
  await told(/muted carol/, "bob", "mute", "#forum", "carol", "--seconds", "60");
  const silenced = await run(t, ["send", "#forum", "hi", "--user", "carol"]);
  assert.equal(silenced.code, 1);
  assert.match(silenced.err, /muted/);
  await told(/unmuted carol/, "bob", "unmute", "#forum", "carol");
  await told(/banned carol/, "bob", "ban", "#forum", "carol");
  const link = /--link (\S+)/.exec(
    await told(/rooms join '#forum' --link/, "bob", "link", "#forum", "--uses", "1"),
  )?.[1];
  assert.match((await as("carol", "join", "#forum", "--link", link ?? "")).err, /banned/);
  await told(/unbanned carol/, "bob", "unban", "#forum", "carol");
  await told(/joined #forum/, "carol", "join", "#forum", "--link", link ?? "");
  const id = (await told(/by bob {2}1 users/, "bob", "links", "#forum")).split(" ")[0] ?? "";
  await told(/ended/, "bob", "unlink", "#forum", id);
  await told(/handed over to bob/, "alice", "transfer", "#forum", "bob");
  await told(/archived/, "bob", "archive", "#forum");
  await told(/opened #forum again/, "bob", "unarchive", "#forum");
  await told(/blocked #forum/, "carol", "block", "#forum");
  await told(/unblocked #forum/, "carol", "unblock", "#forum");
  await told(/deleted #forum/, "bob", "delete", "#forum");
  assert.equal((await as("alice", "show", "#forum")).code, 1);
});

test("two chats: lines cross, each side is told when the other has read", async (t) => {
  const alice = start(t, ["chat", "carol", "--user", "alice", "--json"]);
  const carol = start(t, ["chat", "alice", "--user", "carol"]);
  await eventually(() => carol.err().includes("chatting in p2p/alice/carol"));
  alice.child.stdin.write("hi carol\n");
  await eventually(() => / #1 alice {2}hi carol/.test(carol.out()));
  carol.child.stdin.write("hi alice\n");
  await eventually(() => alice.lines().some((line) => JSON.parse(line).content?.data === "hi alice"));
  await eventually(() => {
    const receipts = alice.lines().map((line) => JSON.parse(line));
    return receipts.some(({ type, uid, read }) => type === "receipt" && uid === "carol" && read >= 1);
  });
  carol.child.stdin.write("/quit\n");
  assert.equal(await carol.exit, 0);
  alice.child.stdin.end();
  assert.equal(await alice.exit, 0);
});

test("a chat in a pipe sends every line, waits for the acks, and says what was refused", async (t) => {
  const lines = Array.from({ length: 50 }, (_, n) => `line ${n}`);
  const { code } = await run(t, ["chat", "dave", "--user", "bob", "--earlier", "0"], {
    stdin: `${lines.join("\n")}\n//slash`,
  });
  assert.equal(code, 0);
  const { out } = await run(t, ["history", "bob", "--user", "dave", "--all", "--json"]);
  const texts = out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line).content.data);
  assert.deepEqual(texts, [...lines, "/slash"]);
  const refused = await run(t, ["chat", "nobody", "--user", "bob"], { stdin: "hi\n/nonsense\n" });
  assert.equal(refused.code, 1);
  assert.match(refused.err, /not sent: hi[\s\S]*unknown command \/nonsense|unknown command[\s\S]*not sent: hi/);
});

test("a chat and a stock client chat", async (t) => {
  const stock = await mosquitto.subscribe(t, await mosquitto.logIn(cluster, "dave", "stock"));
  const alice = start(t, ["chat", "dave", "--user", "alice"]);
  await eventually(() => alice.err().includes("chatting in"));
  alice.child.stdin.write("hi stock\n");
  await eventually(() => stock.packets().some(({ content }) => (content as { data?: string })?.data === "hi stock"));
  const packet = { to: "user/alice", content: { type: "text", data: "hi \u001b[31mchat" } };
  await mosquitto.publish(await mosquitto.logIn(cluster, "dave", "pub"), packet);
  await eventually(() => alice.out().includes("dave  hi \ufffd[31mchat"));
});

test("what is typed into a chat while the server is away is sent when it is back", async (t) => {
  const bob = start(t, ["chat", "carol", "--user", "bob", "--json"]);
  bob.child.stdin.write("before\n");
  const texts = () => bob.lines().map((line) => JSON.parse(line).content?.data);
  await eventually(() => texts().includes("before"));
  await cluster.stopPart("edge");
  bob.child.stdin.write("during\n");
  await cluster.startPart("edge");
  await eventually(() => texts().includes("during"));
  bob.child.stdin.end();
  assert.equal(await bob.exit, 0);
});

test("a message that disappears, by each door, is gone for all, and a conversation says that its messages do", async (t) => {
  const { http } = cluster.run();
  const conv = "p2p/alice/bob";
  const dataOf = ({ content }: { content: object }) => (content as { data?: unknown }).data;
  const { token } = await mosquitto.logIn(cluster, "alice", "web");
  const alice = await connectAs(t, cluster, "alice", { device: "brief", cache: fileCache(join(home, "cache")) });
  const stock = await openStock(t, await mosquitto.logIn(cluster, "bob", "stock"));
  const content = { type: "text" as const, data: "brief" };
  const { seq: first } = await callHttp(http, messagesSend, { to: "user/bob", content, expires: 1 } as never, {
    token,
  });
  await stock.send({ id: "brief", to: "user/alice", content, expires: 1 });
  await alice.client.send("user/bob", content, { expires: 1, expiresFrom: "sent" });
  await run(t, ["send", "bob", "brief", "--expires", "1s", "--user", "alice"]);
  const { topics } = stock.session;
  const set = { id: "e", method: "conversations.setExpiry", params: { conv, expiry: { seconds: 1, from: "sent" } } };
  assert.deepEqual((await stock.ask(topics.publish.rpc, JSON.stringify(set))).result, set.params);
  const { seq: last } = await alice.client.send("user/bob", content);
  assert.equal((await run(t, ["disappear", "bob", "off", "--user", "alice"])).code, 0);
  const { seq: kept } = await alice.client.send("user/bob", { ...content, data: "kept" });
  const seen = async () =>
    (await callHttp(http, historyGet, { conv, after: first - 1, before: kept + 1 }, { token })).messages;
  const gone = async () => (await seen()).filter(({ recalled }) => recalled?.expired).map(({ seq }) => seq);
  await eventually(async () => (await gone()).length === 5);
  assert.deepEqual([(await gone())[0], (await gone())[4]], [first, last]);
  assert.equal((await seen()).map(dataOf).filter((data) => data === "brief").length, 0);
  const recall = (seq: number) => alice.shown.find((one) => (one.content as { seq?: number }).seq === seq);
  await eventually(() => recall(first) && recall(last) && alice.texts().includes("kept"));
  const known = alice.client.conversations().find((one) => one.conv === conv);
  assert.deepEqual(
    known?.messages.filter((one) => dataOf(one) === "brief"),
    [],
  );
  assert.match((await run(t, ["history", "bob", "--user", "alice"])).out, /\(disappeared\)/);
});
