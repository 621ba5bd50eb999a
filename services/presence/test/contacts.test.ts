// Who is told of whom, how often, and what stays hidden.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type ContactsChanged, presenceGet, presenceList, subjects } from "@parley/protocol";
import { callMethod, requestJson } from "@parley/runtime";
import { eventually, serviceContext } from "@parley/testkit";
import { Redis } from "ioredis";
import type { Told } from "../src/sessions/change.ts";
import { openContacts } from "../src/tell/contacts.ts";
import { type Due, openDue } from "../src/tell/due.ts";
import { startOne } from "./start.ts";

const presence = await startOne({ after });
const redis = new Redis(presence.redis.url).on("error", () => {});
after(() => redis.disconnect());
const timeoutMs = 30_000;

const say = (uid: string, state: object) =>
  presence.publish(subjects.deviceState, { uid, clientId: `${uid}:phone`, ...state });
const shows = (uid: string) => presence.noticesOf(uid).map(({ show }) => show);
const listed = async (uid: string, params = {}) =>
  callMethod(presence.nats, presenceList, { uid, via: "http" }, params, { timeoutMs });
const get = (by: string, uid: string) =>
  callMethod(presence.nats, presenceGet, { uid: by, via: "http" }, { uid }, { timeoutMs });

/** Both are online and each other's contact, and the other was told of the first. */
async function pair(one: string, two: string): Promise<void> {
  presence.contacts.set(one, [two]).set(two, [one]);
  await presence.connect(`${two}:phone`);
  await presence.connect(`${one}:phone`);
  await eventually(() => shows(one).includes("online") && shows(two).length <= 1);
}

test("an invisible user looks offline in every way, hears of contacts all the same, and was last seen when it vanished", async () => {
  await pair("ivan", "olga");
  await say("ivan", { show: "invisible", status: "hidden" });
  await eventually(() => shows("ivan").at(-1) === "offline");
  const vanished = presence.noticesOf("ivan").at(-1)!;
  assert.deepEqual(Object.keys(vanished).sort(), ["lastSeen", "show", "type", "uid"]);
  assert.deepEqual((await listed("olga")).contacts, []);
  assert.deepEqual(await get("olga", "ivan"), { uid: "ivan", show: "offline", lastSeen: vanished.lastSeen });
  await say("olga", { show: "dnd" });
  await eventually(() => shows("olga").at(-1) === "dnd");
  assert.ok(
    presence.told.some(({ uids, packet }) => uids?.includes("ivan") && (packet as { show: string }).show === "dnd"),
  );
  const told = shows("ivan").length;
  // Neither its end nor a new connection shows, and the time stays.
  await presence.session("gone", "ivan:phone");
  await eventually(async () => (await redis.exists("presence:told:ivan")) === 0);
  await presence.connect("ivan:phone");
  await eventually(async () => (await redis.get("presence:told:ivan"))?.startsWith("invisible"));
  await say("olga", { show: "away" });
  await eventually(() => shows("olga").at(-1) === "away");
  assert.equal(shows("ivan").length, told);
  assert.equal((await get("olga", "ivan")).lastSeen, vanished.lastSeen);
  await say("ivan", { show: "chat" });
  await eventually(() => shows("ivan").at(-1) === "online");
});

test("who said invisible stays so when Redis has lost everything", async () => {
  await pair("iris", "oleg");
  await say("iris", { show: "invisible" });
  await eventually(() => shows("iris").at(-1) === "offline");
  const word = async () => JSON.parse((await redis.hget("presence:said", "iris:phone")) ?? "{}");
  await eventually(async () => (await word()).kept !== undefined);
  await redis.del("presence:user:iris", "presence:told:iris", "presence:sent:iris", "presence:said");
  await presence.session("connected", "iris:phone");
  await eventually(async () => (await redis.get("presence:told:iris"))?.startsWith("invisible"));
  assert.equal(shows("iris").at(-1), "offline");
});

test("who was last seen when is told by privacy, and to nobody whom the user does not let know", async () => {
  await pair("paul", "rita");
  presence.lastSeen.set("paul", "nobody");
  await presence.publish(subjects.contactsChanged, { uid: "paul" });
  await presence.session("gone", "paul:phone");
  await eventually(() => shows("paul").at(-1) === "offline");
  assert.equal(presence.noticesOf("paul").at(-1)!.lastSeen, null);
  assert.deepEqual(await get("rita", "paul"), { uid: "paul", show: "offline", lastSeen: null });
  presence.lastSeen.set("paul", "contacts");
  const { lastSeen } = await get("rita", "paul");
  assert.ok(lastSeen !== null && lastSeen <= Date.now());
  assert.equal((await get("olga", "paul")).lastSeen, null);
});

test("a stranger is neither told nor shown anything of a user who is online", async () => {
  await pair("sara", "tom");
  await presence.connect("stan:phone");
  presence.contacts.set("stan", []);
  await say("sara", { show: "dnd", status: "private" });
  await eventually(() => shows("sara").at(-1) === "dnd");
  assert.ok(
    presence.told.every(({ uids, packet }) => !uids?.includes("stan") || (packet as { uid: string }).uid === "stan"),
  );
  assert.deepEqual(await get("stan", "sara"), { uid: "sara", show: "offline", lastSeen: null });
});

test("who are no longer each other's contact see the other offline, who become it see the other as it is", async () => {
  await pair("uma", "vera");
  presence.told.length = 0;
  const heard = () =>
    presence.told
      .filter(({ uids }) => uids?.some((uid) => uid === "uma" || uid === "vera"))
      .map(({ uids, packet }) =>
        [uids?.[0], (packet as { uid: string }).uid, (packet as { show: string }).show].join(" "),
      )
      .sort();
  presence.contacts.set("uma", []).set("vera", []);
  await presence.publish(subjects.contactsChanged, { uid: "uma", other: "vera", areContacts: false });
  await eventually(() => heard().length === 2);
  assert.deepEqual(heard(), ["uma vera offline", "vera uma offline"]);
  presence.told.length = 0;
  await say("uma", { show: "dnd" });
  await eventually(async () => (await redis.get("presence:told:uma")) === "dnd ");
  await eventually(async () => (await redis.zscore("presence:due", "uma")) === null);
  assert.deepEqual(heard(), [], "who is told is asked anew");
  presence.contacts.set("uma", ["vera"]).set("vera", ["uma"]);
  await presence.publish(subjects.contactsChanged, { uid: "uma", other: "vera", areContacts: true });
  await eventually(() => heard().length === 2);
  assert.deepEqual(heard(), ["uma vera online", "vera uma dnd"]);
});

test("however often a user flaps, contacts are told once for each turn, of what is so then, by whichever replica", async (t) => {
  // One more, whose store is its own: it stands for a replica in what Redis holds.
  await startOne(t, {}, presence);
  await pair("flora", "gregor");
  const before = shows("flora").length;
  // Until it is let go nobody may be told.
  await redis.set("presence:paced:flora", 1, "PX", 60_000);
  for (let turn = 0; turn < 20; turn++)
    await say("flora", { show: turn % 2 ? "online" : "dnd", status: `turn ${turn}` });
  await eventually(async () => (await redis.get("presence:told:flora")) === "online turn 19");
  assert.equal(shows("flora").length, before);
  await redis.del("presence:paced:flora");
  await say("flora", { status: "turn 20" });
  await eventually(() => shows("flora").length > before);
  await eventually(async () => (await redis.zscore("presence:due", "flora")) === null);
  assert.equal(shows("flora").length, before + 1);
  assert.equal(presence.noticesOf("flora").at(-1)!.status, "turn 20");
});

test("what a replica took and did not tell before it died is told by another one, and what one tells late is told again as it is", async (t) => {
  await pair("hans", "ida");
  const taken = Promise.withResolvers<Due>();
  const end = Promise.withResolvers<Told>();
  const slow = openDue({
    redis,
    paceMs: 0,
    log: serviceContext("presence").log,
    tell(due) {
      taken.resolve(due);
      return end.promise;
    },
  });
  t.after(() => slow.close());
  await redis.multi().del("presence:told:hans", "presence:user:hans").zadd("presence:due", 0, "hans").exec();
  slow.wake(0);
  assert.equal((await taken.promise).uid, "hans");
  // While it tells no other one does.
  await redis.zadd("presence:due", "XX", 0, "hans");
  await say("ida", { show: "dnd" });
  await eventually(async () => Number(await redis.zscore("presence:due", "hans")) > 0);
  assert.equal(shows("hans").at(-1), "online");
  // Its time is over; any change has a replica look what is due, as each does by itself every few seconds.
  await redis.del("presence:taken:hans");
  assert.equal(await redis.zadd("presence:due", "XX", "CH", 0, "hans"), 1);
  await say("ida", { show: "away" });
  await eventually(() => shows("hans").at(-1) === "offline");
  await eventually(async () => (await redis.exists("presence:taken:hans")) === 0);
  const before = shows("hans").length;
  end.resolve({ show: "online", status: "" });
  await slow.close();
  await say("ida", { show: "dnd" });
  await eventually(() => shows("hans").length > before);
  await eventually(async () => (await redis.exists("presence:sent:hans")) === 0);
  assert.equal(shows("hans").at(-1), "offline");
});

test("whose contacts were told by a version that kept no record of it is told offline", async () => {
  await pair("hilda", "igor");
  await eventually(async () => (await redis.zscore("presence:due", "hilda")) === null);
  await redis.del("presence:sent:hilda");
  await presence.session("gone", "hilda:phone");
  await eventually(() => shows("hilda").at(-1) === "offline");
});

/** From now on api answers with what it knew when it was asked, and only when it is let. */
function holdApi(t: { after(work: () => void): void }): () => void {
  const going = Promise.withResolvers<void>();
  presence.holding.api = going.promise;
  const go = () => {
    delete presence.holding.api;
    going.resolve();
  };
  t.after(go);
  return go;
}
const askedOf = (uid: string) => presence.asked.filter((one) => one === uid).length;
const change = (changed: ContactsChanged) =>
  requestJson(presence.nats, subjects.contactsChanged, changed, { timeoutMs });
/** Ends when whatever was due of the user is told. */
const settled = (uid: string) => eventually(async () => (await redis.zscore("presence:due", uid)) === null);

test("who was parted while a notice was under way is told nothing more once that is answered, by whichever replica", async (t) => {
  await startOne(t, {}, presence);
  await pair("jan", "klara");
  await change({ uid: "jan" });
  const before = askedOf("jan");
  const go = holdApi(t);
  await say("jan", { show: "dnd", status: "secret" });
  await eventually(() => askedOf("jan") > before);
  presence.contacts.set("jan", []).set("klara", []);
  await change({ uid: "jan", other: "klara", areContacts: false });
  const told = presence.told.length;
  go();
  await settled("jan");
  await eventually(() => shows("jan").at(-1) === "offline");
  const later = presence.told.slice(told).map(({ packet }) => packet as { uid: string; show: string });
  assert.deepEqual(
    later.filter(({ uid, show }) => uid === "jan" && show !== "offline"),
    [],
  );
  assert.deepEqual((await listed("klara")).contacts, []);
});

test("what a user hides of itself while a notice is under way is not told: when it was last seen, and that it is there", async (t) => {
  await pair("lars", "mona");
  await change({ uid: "lars" });
  const before = askedOf("lars");
  const go = holdApi(t);
  await presence.session("gone", "lars:phone");
  await eventually(() => askedOf("lars") > before);
  presence.lastSeen.set("lars", "nobody");
  await change({ uid: "lars" });
  go();
  await eventually(() => shows("lars").at(-1) === "offline");
  assert.equal(presence.noticesOf("lars").at(-1)!.lastSeen, null);
  await pair("nils", "olaf");
  await change({ uid: "nils" });
  const asked = askedOf("nils");
  const goOn = holdApi(t);
  await say("nils", { show: "dnd" });
  await eventually(() => askedOf("nils") > asked);
  await say("nils", { show: "invisible" });
  await eventually(async () => (await redis.get("presence:told:nils")) === "invisible ");
  goOn();
  await eventually(() => shows("nils").at(-1) === "offline");
  assert.deepEqual(shows("nils"), ["online", "offline"]);
});

test("two who become contacts and part again and again are told once a while, by all replicas together, of what is so then", async () => {
  await pair("yara", "zeno");
  await redis.set("presence:paced:yara/zeno", 1, "PX", 60_000);
  presence.told.length = 0;
  presence.contacts.set("yara", []).set("zeno", []);
  for (const areContacts of [false, true, false]) await change({ uid: "yara", other: "zeno", areContacts });
  const heard = () => presence.told.map(({ packet }) => packet as { uid: string; show: string });
  await say("zeno", { show: "dnd" });
  await eventually(async () => (await redis.get("presence:told:zeno")) === "dnd ");
  await settled("zeno");
  assert.deepEqual(heard(), []);
  await redis.del("presence:paced:yara/zeno");
  await eventually(() => heard().length === 2);
  assert.ok(heard().every(({ show }) => show === "offline"));
});

test("a change of contacts waits for what another replica tells just now, and not for one that died", async (t) => {
  const [one, other] = [openContacts({ nats: presence.nats, redis }), openContacts({ nats: presence.nats, redis })];
  t.after(() => [one, other].map((contacts) => contacts.close()));
  const telling = Promise.withResolvers<void>();
  const end = Promise.withResolvers<void>();
  const events: string[] = [];
  const told = one.with("petra", async () => {
    telling.resolve();
    await end.promise;
    events.push("told");
  });
  await telling.promise;
  const changed = other.changed(["petra"], 60_000).then(() => events.push("changed"));
  await redis.zadd("presence:telling:petra", 1, "a replica that died");
  end.resolve();
  await Promise.all([told, changed]);
  assert.deepEqual(events, ["told", "changed"]);
  await other.changed(["petra"], 60_000);
});

test("1,000 contacts are one request to api, one look at Redis and one request to a router", async () => {
  const many = Array.from({ length: 1000 }, (_, n) => `c${n}`);
  presence.contacts.set("kate", many);
  await redis.mset(many.flatMap((uid) => [`presence:told:${uid}`, "online "]));
  await presence.connect("kate:phone");
  await eventually(() => presence.noticesOf("kate").length === 1);
  await eventually(() => presence.told.filter(({ device }) => device?.clientId === "kate:phone").length === 5);
  const toUsers = presence.told.filter(({ uids, packet }) => uids && (packet as { uid: string }).uid === "kate");
  assert.deepEqual(
    toUsers.map(({ uids }) => uids?.length),
    [1000],
  );
  assert.equal(presence.asked.filter((uid) => uid === "kate").length, 1);
  const greeted = presence.told.filter(({ device }) => device?.clientId === "kate:phone");
  assert.equal(greeted.flatMap(({ packet, more = [] }) => [packet, ...more]).length, 1000);
  await redis.del(many.map((uid) => `presence:told:${uid}`));
});

test("presence.list has all who are online, page by page, within the bytes that a device takes", async () => {
  const many = Array.from({ length: 120 }, (_, n) => `p${String(n).padStart(3, "0")}`);
  presence.contacts.set("lena", [...many].reverse().concat("nobody-there"));
  await redis.mset(many.flatMap((uid) => [`presence:told:${uid}`, `dnd ${"ä".repeat(200)}`]));
  const found: string[] = [];
  let pages = 0;
  for (let page: string | null | undefined; page !== null; pages++) {
    const answer = await listed("lena", { limit: 50, ...(page === undefined ? {} : { page }) });
    found.push(...answer.contacts.map(({ uid }) => uid));
    page = answer.next;
  }
  assert.deepEqual([found, pages], [many, 3]);
  const caller = { uid: "lena", via: "mqtt", maxBytes: 2048 } as const;
  const small = await callMethod(presence.nats, presenceList, caller, {}, { timeoutMs });
  assert.ok(JSON.stringify(small).length <= 2048 && small.contacts.length > 0 && small.next !== null);
  for (const bad of [{ limit: 0 }, { limit: 501 }, { page: 7 }, { uid: "x" }])
    await assert.rejects(listed("lena", bad), { code: "invalid_packet" });
  await redis.del(many.map((uid) => `presence:told:${uid}`));
});

test("a device that is active again is told how all of its user's contacts are, and at no other time", async () => {
  await pair("wanda", "xaver");
  presence.contacts.set("wanda", ["xaver", "yann"]);
  await presence.publish(subjects.contactsChanged, { uid: "wanda" });
  const heard = () =>
    presence.told
      .filter(({ device }) => device?.clientId === "wanda:phone")
      .flatMap(({ packet, more = [] }) => [packet, ...more])
      .map((packet) => [(packet as { uid: string }).uid, (packet as { show: string }).show].join(" "));
  await eventually(() => heard().length === 1);
  presence.told.length = 0;
  await say("wanda", { active: true });
  await say("wanda", { active: false });
  await eventually(async () => (await redis.get("presence:told:wanda"))?.startsWith("away"));
  await say("wanda", { active: true });
  await eventually(() => heard().length > 0);
  await say("wanda", { active: false });
  await say("xaver", { show: "dnd" });
  await eventually(async () => (await redis.get("presence:told:xaver")) === "dnd ");
  await say("wanda", { active: true });
  await eventually(() => heard().includes("xaver dnd"));
  assert.deepEqual(heard(), ["xaver online", "yann offline", "xaver dnd", "yann offline"]);
});
