// Pages of a user's own rooms: bounded in bytes and in what is looked at, each room on one of them.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { limits, type RoomsReply, type RoomsRequest } from "@parley/protocol";
import { openStore } from "@parley/store";
import { newMember } from "../fold/members.ts";
import { memberKey, openHistoryStore } from "../keep/store.ts";
import type { Reading } from "./reading.ts";
import { ownRooms, roomsNamed } from "./rooms.ts";

const texts = { avatar: "a".repeat(1_000), description: "é".repeat(1_000) };
const links = Array.from({ length: 20 }, (_, index) => ({
  id: `${index}`,
  hash: "h".repeat(64),
  createdBy: "u",
  createdAt: 1,
}));

test("the rooms of who is in hundreds and was invited to thousands come in pages that fit into a reply, without links", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "parley-rooms-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const opened = await openStore(`sqlite:${folder}`, { service: "history", lockWaitMs: 0 });
  t.after(() => opened.close());
  const store = await openHistoryStore(opened);
  const reading = { store } as Reading;
  const conv = (index: number) => `room/r${String(index).padStart(5, "0")}`;
  const all = Array.from({ length: 6_200 }, (_, index) => conv(index));
  const isMine = (index: number) => index >= 6_000;
  await store.members.put(
    all.map((one, index) => {
      const how = isMine(index)
        ? { stays: [[1, null] as [number, null]] }
        : { pending: { as: "invited" as const, by: "eve" } };
      return { key: memberKey(one, "bob"), doc: { ...newMember(one, "bob"), ...how } };
    }),
  );
  await store.infos.put(
    all.map((one) => ({
      key: one,
      doc: { conv: one, name: "Room", nameSeq: 1, room: { settings: {}, ...texts, links } },
    })),
  );
  const listed = async (asked: Omit<RoomsRequest, "uid">) => {
    const found: string[] = [];
    let pages = 0;
    for (let after: string | undefined; ; ) {
      const text = await ownRooms(reading, { uid: "bob", ...asked, ...(after === undefined ? {} : { after }) });
      assert.ok(Buffer.byteLength(text) < limits.pageBytes + 1_000);
      const { rooms, next }: RoomsReply = JSON.parse(text);
      assert.ok(rooms.every(({ room }) => room?.description === texts.description && room.links === undefined));
      found.push(...rooms.map((room) => room.conv));
      pages += 1;
      if (next === undefined) return { found, pages };
      after = next;
    }
  };
  const mine = await listed({ which: "member" });
  assert.deepEqual(
    mine.found,
    all.filter((_, index) => isMine(index)),
  );
  assert.equal(mine.pages, 3);
  assert.deepEqual((await listed({ which: "member", limit: 7 })).found, mine.found);
  assert.deepEqual(
    (await listed({ which: "pending" })).found,
    all.filter((_, index) => !isMine(index)),
  );
  const [known] = (await roomsNamed(reading, { uid: "bob" }, [conv(6_100)])).rooms;
  assert.equal(known?.room?.links?.length, 20);
});
