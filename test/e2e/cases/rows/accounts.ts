// Asked last: logins, accounts and aliases, passwords, server keys, what an application does with users, and a message over HTTP.
import assert from "node:assert/strict";
import {
  accountPassword,
  accountRemove,
  accountsAdd,
  accountsList,
  accountsRelease,
  aliasesAdd,
  aliasesList,
  aliasesRemove,
  keysCreate,
  keysList,
  keysRemove,
  login,
  logout,
  messagesSend,
  refresh,
  register,
  usersAccount,
  usersCreate,
  usersDisable,
  usersEnable,
  usersLogin,
  usersRemove,
} from "@parley/protocol";
import { foreignTo, type Result, type Row, row, type WhoMayNot } from "../row.ts";
import { password, type World } from "../world.ts";

const forKeys: WhoMayNot = {
  "by a user": ({ ann }) => ({ code: "forbidden", as: ann }),
  "by the operator": ({ operator }) => ({ code: "forbidden", as: operator }),
};
const forOperators: WhoMayNot = {
  "by a user": ({ ann }) => ({ code: "forbidden", as: ann }),
  "by an application": ({ app }) => ({ code: "forbidden", as: app }),
};
const same = (result: Result, first: Result) => assert.deepEqual(result, first);

const noUser: Row<{ uid: string }>["foreign"] = ({ gone, prefix }) => ({
  code: "not_found",
  theirs: { uid: gone },
  none: { uid: `${prefix}nobody` },
});

const somebody =
  (name: string) =>
  async ({ person, app }: World) => ({
    params: { uid: (await person(name)).uid },
    as: app,
  });

export const accountRows = [
  row(messagesSend, {
    good: ({ bob }) => ({ params: { id: "sent-once", to: `user/${bob.uid}`, content: { type: "text", data: "hi" } } }),
    foreign: foreignTo,
    refused: {
      "as somebody else": ({ bob }) => ({ code: "forbidden", params: { from: bob.uid } }),
    },
    again: (result, first) => assert.deepEqual(result, first),
  }),
  row(login, {
    async good({ person, nobody }) {
      const { uid } = await person("logs.in", password);
      return { params: { username: uid, password, device: "phone" }, as: nobody };
    },
    answer: ({ uid, clientId }) => assert.deepEqual([uid, clientId], ["logs.in", "logs.in:phone"]),
    refused: {
      "with a wrong password": () => ({ code: "unauthenticated", params: { password: "another one" } }),
      "as nobody": ({ prefix }) => ({ code: "unauthenticated", params: { username: `${prefix}nobody` } }),
    },
  }),
  row(refresh, {
    good: async ({ person, nobody }) => ({
      params: { refreshToken: (await person("refreshes")).session.refreshToken },
      as: nobody,
    }),
    answer: ({ uid }) => assert.equal(uid, "refreshes"),
    refused: { "with a token that is none": () => ({ code: "unauthenticated", params: { refreshToken: "none" } }) },
  }),
  row(logout, {
    good: async ({ person }) => ({ params: {}, as: await person("logs.out") }),
    again: "unauthenticated",
  }),
  row(register, {
    good: ({ prefix, nobody }) => ({ params: { username: `${prefix}registers`, password }, as: nobody }),
    answer: ({ uid }) => assert.equal(uid, "registers"),
    refused: { "a name that is taken": ({ ann }) => ({ code: "conflict", params: { username: ann.uid } }) },
    again: "conflict",
  }),
  row(accountPassword, {
    good: async ({ person }) => ({
      params: { password, newPassword: `${password}, again` },
      as: await person("changes", password),
    }),
    refused: { "with a wrong password": () => ({ code: "unauthenticated", params: { password: "another one" } }) },
    again: "unauthenticated",
  }),
  row(accountRemove, {
    good: async ({ person }) => ({ params: { password }, as: await person("erases", password) }),
    refused: { "with a wrong password": () => ({ code: "unauthenticated", params: { password: "another one" } }) },
    again: "unauthenticated",
  }),
  row(accountsList, {
    good: () => ({ params: {} }),
    answer: ({ accounts }) =>
      assert.deepEqual(accounts, [{ uid: "ann", name: "ann", nick: "", avatar: "", state: "active" }]),
  }),
  row(accountsAdd, {
    good: async ({ person, prefix }) => ({
      params: { uid: `${prefix}second` },
      as: await person("first", password),
    }),
    answer: ({ uid }) => assert.equal(uid, "second"),
    foreign: ({ eve, prefix }) => ({
      code: "unauthenticated",
      theirs: { uid: eve.uid, password: "not it at all" },
      none: { uid: `${prefix}nobody`, password: "not it at all" },
    }),
    refused: {
      "by who has no password": ({ ann }) => ({ code: "forbidden", as: ann }),
      "with a name that is reserved": () => ({ code: "forbidden", params: { uid: "router-1" } }),
      "new and existing at once": () => ({ code: "invalid_packet", params: { name: "Second", password } }),
    },
    again: "conflict",
  }),
  row(accountsRelease, {
    async good({ person, prefix, call }) {
      const as = await person("keeps", password);
      const { uid } = await call(as, accountsAdd, { uid: `${prefix}leaves` });
      return { params: { uid, password, newPassword: `${password}, again` }, as };
    },
    answer: ({ uid }) => assert.equal(uid, "leaves"),
    foreign: ({ eve, prefix }) => ({
      code: "not_found",
      theirs: { uid: eve.uid },
      none: { uid: `${prefix}nobody` },
    }),
    refused: { "with a wrong password": () => ({ code: "unauthenticated", params: { password: "another one" } }) },
    again: "not_found",
  }),
  row(aliasesList, {
    async good({ person, prefix, call }) {
      const as = await person("has.aliases");
      await call(as, aliasesAdd, { alias: `${prefix}alias` });
      return { params: {}, as };
    },
    answer: ({ aliases }) => assert.deepEqual(aliases, ["alias"]),
  }),
  row(aliasesAdd, {
    good: async ({ person, prefix }) => ({ params: { alias: `${prefix}other` }, as: await person("takes.alias") }),
    answer: ({ aliases }) => assert.deepEqual(aliases, ["other"]),
    foreign: "none",
    refused: {
      "a name that is taken": ({ eve }) => ({ code: "conflict", params: { alias: eve.uid } }),
      "a name that is reserved": () => ({ code: "forbidden", params: { alias: "router-1" } }),
    },
    again: same,
  }),
  row(aliasesRemove, {
    async good({ person, prefix, call }) {
      const as = await person("drops.alias");
      await call(as, aliasesAdd, { alias: `${prefix}dropped` });
      return { params: { alias: `${prefix}dropped` }, as };
    },
    answer: ({ aliases }) => assert.deepEqual(aliases, []),
    foreign: ({ eve, prefix }) => ({
      code: "not_found",
      theirs: { alias: eve.uid },
      none: { alias: `${prefix}nobody` },
    }),
    again: "not_found",
  }),
  row(keysCreate, {
    good: ({ operator, prefix }) => ({ params: { name: `${prefix}key` }, as: operator }),
    answer: ({ name }) => assert.equal(name, "key"),
    refused: forOperators,
    again: ({ name }) => assert.equal(name, "key"),
  }),
  row(keysList, {
    good: ({ operator }) => ({ params: {}, as: operator }),
    shared: true,
    answer: ({ keys }) => assert.deepEqual(Object.keys(keys[0]).toSorted(), ["createdAt", "id", "name"]),
    refused: forOperators,
  }),
  row(keysRemove, {
    good: async ({ call, operator, prefix }) => ({
      params: { id: (await call(operator, keysCreate, { name: `${prefix}removed` })).id },
      as: operator,
    }),
    foreign: "none",
    refused: {
      ...forOperators,
      "of a key that is not there": () => ({ code: "not_found", params: { id: "none" } }),
    },
    again: "not_found",
  }),
  row(usersCreate, {
    good: ({ prefix, app }) => ({ params: { uid: `${prefix}created`, name: "Created" }, as: app }),
    answer: ({ uid }) => assert.equal(uid, "created"),
    foreign: "none",
    refused: { ...forKeys, "with a name that is taken": ({ ann }) => ({ code: "conflict", params: { uid: ann.uid } }) },
    again: "conflict",
  }),
  row(usersLogin, {
    good: async ({ app, bob }) => ({ params: { uid: bob.uid, device: "kiosk" }, as: app }),
    answer: ({ clientId }) => assert.equal(clientId, "bob:kiosk"),
    foreign: noUser,
    refused: forKeys,
  }),
  row(usersAccount, {
    good: somebody("asked.about"),
    answer: ({ state }) => assert.equal(state, "active"),
    foreign: "none",
    refused: { ...forKeys, "of nobody": ({ prefix }) => ({ code: "not_found", params: { uid: `${prefix}nobody` } }) },
  }),
  row(usersDisable, {
    good: somebody("disabled"),
    answer: ({ state }) => assert.equal(state, "disabled"),
    foreign: noUser,
    refused: forKeys,
    again: same,
  }),
  row(usersEnable, {
    async good(world) {
      const question = await somebody("enabled")(world);
      await world.call(world.app, usersDisable, question.params);
      return question;
    },
    answer: ({ state }) => assert.equal(state, "active"),
    foreign: noUser,
    refused: forKeys,
    again: same,
  }),
  row(usersRemove, {
    good: somebody("removed"),
    foreign: "none",
    refused: { ...forKeys, "of nobody": ({ prefix }) => ({ code: "not_found", params: { uid: `${prefix}nobody` } }) },
    again: ({ state }) => assert.match(state, /^eras(ing|ed)$/),
  }),
];
