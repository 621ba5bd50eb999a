// Searching through every door: what members find of what was said, and what nobody finds.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { callHttp } from "@parley/client";
import { login, roomsCreate, roomsInvite, roomsRemove } from "@parley/protocol";
import { type Cluster, eventually, hasMongo, startTestCluster, testMongo } from "@parley/testkit";
import { logIn } from "./mosquitto.ts";
import { connectAs, password, registerAll } from "./people.ts";
import { eventuallyFinds, type Found, finds, parley, search, textsOf } from "./searching.ts";
import { openStock } from "./stock.ts";

const kinds: [string, (t: TestContext) => Promise<Cluster>][] = [
  ["SQLite", (t) => startTestCluster(t, { env: { SEARCH_READABLE_MS: "60000" } })],
];
if (hasMongo())
  kinds.push([
    "MongoDB, two replicas",
    async (t) => {
      const { url: storeUrl } = (await testMongo(t))!;
      return startTestCluster(t, { storeUrl, replicas: { search: 2 }, env: { SEARCH_READABLE_MS: "60000" } });
    },
  ]);

for (const [kind, start] of kinds) {
  test(`members find what was said in their stays and is not taken back, and nobody else does (${kind})`, async (t) => {
    const cluster = await start(t);
    await registerAll(cluster, "alice", "bob", "carol", "eve");
    const [alice, bob, carol, eve] = await Promise.all(
      ["alice", "bob", "carol", "eve"].map((uid) => connectAs(t, cluster, uid).then(({ client }) => client)),
    );
    assert.ok(alice && bob && carol && eve);
    const room = await alice.request(roomsCreate, { id: "tea", name: "Tea", members: ["bob"] });
    const first = await alice.send(room.conv, "Treffen wir uns in 北京 im Café?");
    await bob.send(room.conv, "café at noon, see https://example.com/menu");
    await alice.send("user/bob", "a café for two");
    const everything = [
      "a café for two",
      "café at noon, see https://example.com/menu",
      "Treffen wir uns in 北京 im Café?",
    ];
    await eventuallyFinds(bob, "cafe", everything);
    assert.deepEqual(await finds(bob, "京"), everything.slice(2));
    assert.deepEqual(await finds(bob, "cafe in:#tea"), everything.slice(1));
    assert.deepEqual(await finds(bob, "cafe in:alice"), everything.slice(0, 1));
    assert.deepEqual(await finds(bob, "cafe from:bob has:link"), everything.slice(1, 2));
    assert.deepEqual(await finds(bob, '"café for"'), everything.slice(0, 1));
    assert.deepEqual(await finds(bob, "caf* before:2020-01-01"), []);
    assert.deepEqual(await finds(eve, "cafe"), []);
    assert.deepEqual(await finds(eve, "cafe in:#tea"), []);
    assert.deepEqual(await finds(eve, "cafe in:p2p/alice/bob"), []);

    await t.test("page by page, each once", async () => {
      const one = await search(bob, "cafe", { limit: 2 });
      const two = await search(bob, "cafe", { limit: 2, page: one.next! });
      assert.deepEqual([...textsOf(one), ...textsOf(two), two.next], [...everything, null]);
    });

    await t.test("a picture whose caption is edited is found by the new one, its name, and as a picture", async () => {
      const picture = { type: "image" as const, url: "https://example.com/1", name: "harbour.jpg", data: "sunset" };
      const { seq } = await alice.send(room.conv, picture);
      await eventuallyFinds(bob, "sunset has:image", ["sunset"]);
      await alice.edit(room.conv, seq, "sunrise");
      await eventuallyFinds(bob, "sunrise harbour has:image", ["sunset"]);
      assert.deepEqual(await finds(bob, "sunset"), []);
    });

    await t.test("an edited message is found by what it holds now, a recalled one not at all", async () => {
      await alice.send(room.conv, { type: "edit", seq: first.seq, data: "Teehaus in Shanghai" });
      await eventuallyFinds(bob, "shanghai", everything.slice(2));
      const { results } = await search(bob, "shanghai");
      assert.deepEqual(results[0]?.message.edited?.content, {
        type: "edit",
        seq: first.seq,
        data: "Teehaus in Shanghai",
      });
      assert.deepEqual(await finds(bob, "北京"), []);
      await alice.send(room.conv, { type: "recall", seq: first.seq });
      await eventuallyFinds(bob, "shanghai", []);
    });

    await t.test(
      "who was removed finds nothing after it, also what is indexed later, whatever is remembered",
      async () => {
        await alice.request(roomsInvite, { id: "tea", uids: ["carol"] });
        await alice.send(room.conv, "biscuits for carol");
        await eventuallyFinds(carol, "biscuits", ["biscuits for carol"]);
        await alice.request(roomsRemove, { id: "tea", uids: ["carol"] });
        await alice.send(room.conv, "biscuits without carol");
        await eventuallyFinds(bob, "biscuits", ["biscuits without carol", "biscuits for carol"]);
        assert.deepEqual(await finds(carol, "biscuits"), ["biscuits for carol"]);
        assert.deepEqual(await finds(carol, "noon"), [], "nor what was said before its stay");
        const mine = await alice.send(room.conv, "scones");
        await alice.request(roomsInvite, { id: "tea", uids: ["eve"] });
        const seen = await alice.send(room.conv, "crumpets for eve");
        await alice.request(roomsRemove, { id: "tea", uids: ["eve"] });
        await alice.edit(room.conv, seen.seq, "muffins without eve");
        await alice.edit(room.conv, mine.seq, "muffins");
        await eventuallyFinds(bob, "muffins", ["crumpets for eve", "scones"]);
        assert.deepEqual(await finds(eve, "muffins"), [], "nor by what was edited after it");
        assert.deepEqual(await finds(eve, "crumpets"), [], "which is all that the index has of it");
      },
    );

    await t.test("every door gives the same answer", async () => {
      const expected = await search(bob, "biscuits");
      const { token } = await callHttp(cluster.run().http, login, { username: "bob", password, device: "http" });
      const url = `${cluster.run().http}/search/messages?query=biscuits`;
      const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
      assert.deepEqual(await response.json(), expected);
      const stock = await openStock(t, await logIn(cluster, "bob", "stock"));
      const asked = { id: "s1", method: "search.messages", params: { query: "biscuits" } };
      const answer = await stock.ask(stock.session.topics.publish.rpc, JSON.stringify(asked));
      assert.deepEqual(answer, { id: "s1", result: expected });
      const { out, err } = await parley(t, cluster, "search", "--user", "bob", "biscuits", "from:alice", "--json");
      assert.deepEqual(
        out
          .trim()
          .split("\n")
          .map((line) => JSON.parse(line)),
        expected.results,
        err,
      );
    });

    await t.test("what is wrong is said, and nothing else happens", async () => {
      for (const [query, words] of [
        ["", /query/],
        ["?!", /no word to look for/],
        ["before:2026-01-01", /no word to look for/],
        ["x".repeat(10_000), /1000/],
        ["tea foo:bar", /unknown operator foo:.*quotes/],
        ["tea from:", /from: is not followed/],
        ["tea before:yesterday", /before: is followed by a day/],
        ["tea has:legs", /has: is followed by file, link, image/],
        ["tea in:a/b", /in: is followed by/],
        ['say "tea', /quote is not closed/],
      ] as const)
        await assert.rejects(search(bob, query), (error: { code: string; message: string }) => {
          assert.equal(error.code, "invalid_packet", query.slice(0, 40));
          assert.match(error.message, words);
          return true;
        });
      const { next } = await search(bob, "cafe", { limit: 1 });
      for (const [client, query, page] of [
        [bob, "cafe", "nonsense"],
        [bob, "tea", next!],
        [alice, "cafe", next!],
      ] as const)
        await assert.rejects(search(client, query, { page }), /page is of another query/);
    });

    await t.test("built anew while people chat it holds the same, and a page of the earlier one is stale", async () => {
      const before = await search(bob, "cafe", { limit: 1 });
      const whole = await search(bob, "cafe");
      const chatting = { on: true, said: 0 };
      const chat = (async () => {
        while (chatting.on) await alice.send(room.conv, `chatter ${++chatting.said}`);
      })();
      const { code, err } = await parley(t, cluster, "search", "rebuild");
      assert.equal(code, 0, err);
      chatting.on = false;
      await chat;
      assert.deepEqual(await search(bob, "cafe"), whole);
      assert.deepEqual(await finds(bob, "shanghai"), []);
      assert.deepEqual(await finds(carol, "biscuits"), ["biscuits for carol"]);
      await eventuallyFinds(bob, `"chatter ${chatting.said}"`, [`chatter ${chatting.said}`]);
      const findAll = async () => {
        const found = new Set<unknown>();
        for (let page: string | null | undefined; page !== null; ) {
          const some: Found = await search(bob, "chatter", { limit: 100, ...(page ? { page } : {}) });
          for (const said of textsOf(some)) found.add(said);
          page = some.next;
        }
        return found.size;
      };
      // Of two replicas one may be behind the other, which has the last ones.
      await eventually(async () => (await findAll()) >= chatting.said);
      assert.equal(await findAll(), chatting.said);
      await assert.rejects(search(bob, "cafe", { page: before.next! }), /an index that is no more/);
    });
  });
}
