// Devices, and who is there.
import assert from "node:assert/strict";
import {
  devicesList,
  devicesRemove,
  devicesRemoveOthers,
  devicesUpdate,
  presenceGet,
  presenceList,
  rosterAdd,
  usersLogin,
} from "@parley/protocol";
import { type Result, type Row, row } from "../row.ts";
import type { Person, World } from "../world.ts";

const same = (result: Result, first: Result) => assert.deepEqual(result, first);

/** Somebody new who is logged in on more devices, which are not connected. */
async function owner({ person, call, app }: World, name: string, devices: readonly string[]): Promise<Person> {
  const one = await person(name);
  for (const device of devices) await call(app, usersLogin, { uid: one.uid, device });
  return one;
}

const ofOthers: Row<{ clientId: string }>["foreign"] = async (world, { clientId }) => {
  const { uid } = await owner(world, `owner.beside.${clientId.split(":")[1]}`, ["phone"]);
  return { code: "not_found", theirs: { clientId: `${uid}:phone` }, none: { clientId: `${uid}:none` } };
};

/** Two who are online, and each the contact of the one who asks. */
async function friends({ person, call, connect }: World, name: string): Promise<{ asker: Person; uids: string[] }> {
  const asker = await person(name);
  const others = [await person(`${name}.one`), await person(`${name}.two`)];
  for (const other of others) {
    await call(asker, rosterAdd, { id: other.uid });
    await call(other, rosterAdd, { id: asker.uid });
    await connect(other);
  }
  return { asker, uids: others.map(({ uid }) => uid) };
}

export const deviceRows = [
  row(devicesList, {
    good: async (world) => ({ params: {}, as: await owner(world, "lister", ["phone"]) }),
    answer({ devices }) {
      const phone = devices.find(({ clientId }: Result) => clientId === "lister:phone");
      assert.deepEqual([phone.name, phone.kind, phone.online], ["phone", "http", false]);
    },
    // What asks by MQTT is a device, too.
    shared: true,
  }),
  row(devicesUpdate, {
    async good(world) {
      const as = await owner(world, "renamer", ["phone"]);
      return { params: { clientId: `${as.uid}:phone`, name: "the old one" }, as };
    },
    answer: ({ name, online }) => assert.deepEqual([name, online], ["the old one", false]),
    foreign: ofOthers,
    again: same,
  }),
  row(devicesRemove, {
    async good(world) {
      const as = await owner(world, "remover", ["tablet"]);
      return { params: { clientId: `${as.uid}:tablet` }, as };
    },
    foreign: ofOthers,
    again: "not_found",
  }),
  row(devicesRemoveOthers, {
    good: async (world) => ({ params: {}, as: await owner(world, "leaver", ["phone", "tablet"]) }),
    answer: ({ removed }) => assert.deepEqual(removed.toSorted(), ["leaver:phone", "leaver:tablet"]),
    again: ({ removed }) => assert.deepEqual(removed, []),
  }),
  row(presenceList, {
    async good(world) {
      const { asker: as } = await friends(world, "watcher");
      return { params: {}, as };
    },
    answer: ({ contacts }) =>
      assert.deepEqual(
        contacts.map(({ uid, show }: Result) => [uid, show]),
        [
          ["watcher.one", "online"],
          ["watcher.two", "online"],
        ],
      ),
  }),
  row(presenceGet, {
    async good(world) {
      const { asker: as, uids } = await friends(world, "looker");
      return { params: { uid: uids[0]! }, as };
    },
    answer: ({ show }) => assert.equal(show, "online"),
    foreign: ({ hidden, prefix }) => ({
      code: "not_found",
      theirs: { uid: hidden },
      none: { uid: `${prefix}nobody` },
    }),
  }),
];
