// What devices register for notifications, and how their users are notified.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  type PushRegistration,
  pushList,
  pushRegister,
  pushRemove,
  pushSettings,
  pushUpdateSettings,
} from "@parley/protocol";
import { type Foreign, type Refusal, type Result, row } from "../row.ts";
import type { Person, World } from "../world.ts";

const appId = "example-chat";

function registration({ prefix }: World, name: string): PushRegistration {
  return { kind: "fcm", token: `fcm:${createHash("sha256").update(`${prefix}${name}`).digest("hex")}`, appId };
}

/** Somebody new whose device is registered. */
async function registered(world: World, name: string): Promise<{ as: Person; id: string }> {
  const as = await world.person(name);
  const { id } = await world.call(as, pushRegister, registration(world, name));
  return { as, id };
}

/** Only a server key asks for others: nobody learns by it who there is. */
function ofOthers({ eve, prefix }: World): Foreign<{ uid?: string }> {
  return { code: "forbidden", theirs: { uid: eve.uid }, none: { uid: `${prefix}nobody` } };
}

const refused = {
  "for another user": ({ eve }: World): Refusal<{ uid?: string }> => ({ code: "forbidden", params: { uid: eve.uid } }),
};
const shown = ({ vapidPublicKey, ...settings }: Result) => {
  assert.match(vapidPublicKey, /^(\(base64\)|B[\w-]{86})$/);
  return settings;
};

export const pushRows = [
  row(pushRegister, {
    good: (world) => ({ params: registration(world, "ann"), as: world.ann }),
    foreign: ofOthers,
    refused: {
      ...refused,
      "for another device": ({ ann }) => ({ code: "forbidden", params: { clientId: `${ann.uid}:other` } }),
      "a token that no provider gives": () => ({ code: "invalid_packet", params: { token: "short" } }),
      "an app of no name": () => ({ code: "invalid_packet", params: { appId: ".." } }),
      "a subscription with a token": () => ({ code: "invalid_packet", params: { kind: "webpush" as const } }),
    },
    again: (result, first) => assert.deepEqual(result, first),
  }),
  row(pushList, {
    async good(world) {
      return { params: {}, as: (await registered(world, "tokenlister")).as };
    },
    answer({ tokens: [token, ...more] }) {
      const { id: _, registeredAt: _at, token: cut, ...rest } = token;
      assert.deepEqual(more, []);
      assert.equal(cut.length, 7);
      assert.deepEqual(rest, { clientId: "tokenlister:desk", kind: "fcm", appId, language: "en" });
    },
    foreign: ofOthers,
    refused,
    // Of each token its end is shown.
    shared: true,
  }),
  row(pushRemove, {
    async good(world) {
      const { as, id } = await registered(world, "tokenremover");
      return { params: { id }, as };
    },
    async foreign(world) {
      const { id } = await registered(world, "tokenholder");
      return [ofOthers(world), { code: "not_found", theirs: { id }, none: { id: "n".repeat(43) } }];
    },
    refused: {
      ...refused,
      "of another device": ({ ann }) => ({
        code: "forbidden",
        params: { id: undefined as never, clientId: `${ann.uid}:other` },
      }),
    },
    again: "not_found",
  }),
  row(pushSettings, {
    async good({ person }) {
      return { params: {}, as: await person("reader.of.settings") };
    },
    answer: (settings) => assert.deepEqual(shown(settings), { preview: "full", mentions: true, dndUntil: null }),
    foreign: ofOthers,
    refused,
  }),
  row(pushUpdateSettings, {
    async good({ person }) {
      return { params: { preview: "name" as const, dndUntil: 5_000_000 }, as: await person("changer.of.settings") };
    },
    answer: (settings) => assert.deepEqual(shown(settings), { preview: "name", mentions: true, dndUntil: 5_000_000 }),
    foreign: ofOthers,
    refused,
    again: (result, first) => assert.deepEqual(result, first),
  }),
];
