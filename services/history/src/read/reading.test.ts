// What a user's lists cost who was invited to thousands of rooms.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { openStore, type Store } from "@parley/store";
import { eventually } from "@parley/testkit";
import { newMember } from "../fold/members.ts";
import { startNotingReaders } from "../keep/readers.ts";
import { type HistoryStore, type Member, memberKey, openHistoryStore } from "../keep/store.ts";
import { membershipPages, membershipsOf, type Reading } from "./reading.ts";

const invited = Array.from({ length: 3_000 }, (_, n): Member => {
  const how = n % 2 ? { banned: true as const } : { pending: { as: "invited" as const, by: "eve" } };
  return { ...newMember(`room/i${n}`, "bob"), ...how };
});
const own = ["room/a", "room/z"].map(
  (conv): Member => ({ ...newMember(conv, "bob"), stays: [[1, conv === "room/a" ? 5 : null]] }),
);
const entriesOf = (members: readonly Member[]) => members.map((doc) => ({ key: memberKey(doc.conv, doc.uid), doc }));

async function openDisk(t: TestContext): Promise<Store> {
  const folder = await mkdtemp(join(tmpdir(), "parley-readers-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const opened = await openStore(`sqlite:${folder}`, { service: "history", lockWaitMs: 0 });
  t.after(() => opened.close());
  return opened;
}

/** What is read for both kinds of lists, and how many documents that takes. */
async function listsOf(store: HistoryStore) {
  let read = 0;
  const find = store.members.find;
  store.members.find = async (query) => {
    const page = await find(query);
    read += page.items.length;
    return page;
  };
  const reading = { store } as Reading;
  const listed = (await membershipsOf(reading, { uid: "bob" })).map(({ conv }) => conv);
  const paged: string[] = [];
  for await (const some of membershipPages(reading, { asker: { uid: "bob" }, after: undefined, count: () => 100 }))
    paged.push(...some.map(({ conv }) => conv));
  store.members.find = find;
  return { listed, paged, read };
}

test("invitations and bans of rooms that one never was in cost no list anything", async (t) => {
  const store = await openHistoryStore(await openDisk(t));
  await store.members.put(entriesOf([...invited, ...own]));
  assert.deepEqual(await listsOf(store), { listed: ["room/a", "room/z"], paged: ["room/a", "room/z"], read: 4 });
  const [first] = invited as [Member];
  const known = (await store.members.get(memberKey(first.conv, "bob")))!;
  await store.members.update(known.key, { ...known.doc, stays: [[9, null]] }, known.version);
  assert.deepEqual((await listsOf(store)).listed, ["room/a", first.conv, "room/z"]);
});

test("documents of versions before are all listed, until they are gone through and say themselves whose lists they are in", async (t) => {
  const opened = await openDisk(t);
  const before = await opened.documents().collection<Member>({ name: "members" });
  await before.put(entriesOf([...invited, ...own]));
  const store = await openHistoryStore(opened);
  const shown = ({ listed }: { listed: string[] }) => listed.filter((conv) => !conv.startsWith("room/i"));
  assert.deepEqual(shown(await listsOf(store)), ["room/a", "room/z"]);
  const noting = startNotingReaders(store, (error) => assert.fail(String(error)));
  await eventually(
    async () => (await store.members.find({ index: "by_reader", equals: ["bob"], limit: 9 })).items.length === 2,
  );
  await noting.close();
  // Another look finds none that lacks it.
  const again = startNotingReaders(store, (error) => assert.fail(String(error)));
  t.after(() => again.close());
  await eventually(() => store.readers.areNoted);
  assert.equal((await listsOf(store)).read, 4);
  assert.equal((await openHistoryStore(opened)).readers.areNoted, true, "and a later start knows it");
});

test("what an older version writes once all are gone through is found at the next start, and while replicas are upgraded one by one", async (t) => {
  const opened = await openDisk(t);
  await openHistoryStore(opened);
  const [first, second] = own as [Member, Member];
  const before = await opened.documents().collection<Member>({ name: "members" });
  await before.put(entriesOf([first]));
  const store = await openHistoryStore(opened);
  assert.equal(store.readers.areNoted, true);
  const failed = (error: unknown) => assert.fail(String(error));
  const noting = startNotingReaders(store, failed);
  await eventually(() => !store.readers.areNoted);
  await noting.close();
  assert.equal((await openHistoryStore(opened)).readers.areNoted, false, "nor does a later start believe it");

  const paces = { againMs: 10, laterMs: 10, laterForMs: 3_600_000 };
  const going = startNotingReaders(store, failed, paces);
  t.after(() => going.close());
  await eventually(() => store.readers.areNoted);
  assert.deepEqual((await listsOf(store)).listed, [first.conv]);
  await before.put(entriesOf([second]));
  await eventually(async () => (await listsOf(store)).listed.length === 2 && store.readers.areNoted);
  assert.equal((await openHistoryStore(opened)).readers.areNoted, true);
});
