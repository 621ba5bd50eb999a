// Phones and mailboxes that a code proves, and what programs keep for an account.
import assert from "node:assert/strict";
import {
  emailsConfirm,
  emailsLink,
  phonesAddAccount,
  phonesConfirm,
  phonesMigrate,
  phonesRegister,
  phonesResend,
  phonesVerify,
  storageGet,
  storageSet,
} from "@parley/protocol";
import { row, type WhoMayNot } from "../row.ts";
import { type Person, sentCode, type World } from "../world.ts";

/** A phone of this world alone, whose code is `sentCode`. */
function phone({ prefix }: World, number: number): string {
  return `3806${["http.", "mqtt.", "sdk."].indexOf(prefix)}${String(number).padStart(3, "0")}`;
}

const deviceKey = "a device";

/** Whose phone it is, logged in. */
async function owner(world: World, number: number): Promise<Person> {
  const whose = { phone: phone(world, number), deviceKey };
  await world.call(world.nobody, phonesRegister, whose);
  const session = await world.call(world.nobody, phonesVerify, { ...whose, code: sentCode });
  return { uid: session.uid, session, token: session.token };
}

const wrongCode = { code: "unauthenticated", params: { code: "000000" } } as const;
const withoutPhone: WhoMayNot = { "by who has no phone": ({ ann }) => ({ code: "not_found", as: ann }) };

/** So many are sent to one phone, and no more for a while. */
async function sendOften({ call, nobody }: World, to: string): Promise<void> {
  for (let sent = 0; sent < 5; sent++) await call(nobody, phonesRegister, { phone: to });
}

export const phoneRows = [
  row(phonesRegister, {
    good: (world) => ({ params: { phone: phone(world, 1), deviceKey, language: "uk" }, as: world.nobody }),
    shared: true,
    refused: {
      async "too often"(world) {
        const to = `3809${phone(world, 1)}`;
        await sendOften(world, to);
        return { code: "rate_limited", params: { phone: to } };
      },
    },
  }),
  row(phonesResend, {
    async good(world) {
      const whose = { phone: phone(world, 2), deviceKey };
      await world.call(world.nobody, phonesRegister, whose);
      return { params: { ...whose, voice: true, language: "uk" }, as: world.nobody };
    },
    shared: true,
    refused: {
      "for a phone that asked for none": (world) => ({ code: "not_found", params: { phone: phone(world, 99) } }),
      "with another device's key": () => ({ code: "not_found", params: { deviceKey: "another" } }),
    },
  }),
  row(phonesVerify, {
    async good(world) {
      const whose = { phone: phone(world, 3), deviceKey };
      await world.call(world.nobody, phonesRegister, whose);
      return { params: { ...whose, code: sentCode }, as: world.nobody };
    },
    answer: ({ uid }, world) => assert.equal(uid, `${phone(world, 3)}_1`),
    shared: true,
    refused: {
      "with a wrong code": () => wrongCode,
      "for a protocol that is not spoken": () => ({ code: "invalid_packet", params: { dialect: "esperanto" } }),
      "for a phone that asked for none": (world) => ({ code: "not_found", params: { phone: phone(world, 99) } }),
      async "after five wrong ones"(world) {
        const whose = { phone: phone(world, 4), deviceKey };
        await world.call(world.nobody, phonesRegister, whose);
        for (let guess = 0; guess < 5; guess++)
          await assert.rejects(world.call(world.nobody, phonesVerify, { ...whose, code: "000000" }));
        return { code: "forbidden", params: { ...whose, code: sentCode } };
      },
    },
  }),
  row(phonesAddAccount, {
    good: async (world) => ({ params: { name: "Second" }, as: await owner(world, 5) }),
    answer: ({ uid }, world) => assert.equal(uid, `${phone(world, 5)}_2`),
    shared: true,
    refused: withoutPhone,
    again: (result, first) => assert.notEqual(result.uid, first.uid),
  }),
  row(phonesMigrate, {
    good: async (world) => ({ params: { phone: phone(world, 7) }, as: await owner(world, 6) }),
    shared: true,
    refused: withoutPhone,
  }),
  row(phonesConfirm, {
    async good(world) {
      const as = await owner(world, 8);
      await world.call(as, phonesMigrate, { phone: phone(world, 9) });
      return { params: { phone: phone(world, 9), code: sentCode }, as };
    },
    answer: (result, world) => assert.deepEqual(result, { phone: phone(world, 9) }),
    shared: true,
    refused: {
      "with a wrong code": () => wrongCode,
      "for another phone": (world) => ({ code: "not_found", params: { phone: phone(world, 99) } }),
    },
    again: (result, first) => assert.deepEqual(result, first),
  }),
  row(emailsLink, {
    good: ({ prefix }) => ({ params: { email: `${prefix}ann@mail.example` } }),
    shared: true,
    refused: {
      async "too often"({ call, ann, prefix }) {
        const email = `${prefix}often@mail.example`;
        for (let sent = 0; sent < 5; sent++) await call(ann, emailsLink, { email });
        return { code: "rate_limited", params: { email } };
      },
    },
  }),
  row(emailsConfirm, {
    async good(world) {
      const as = await world.person("has.mail");
      await world.call(as, emailsLink, { email: "fixed@mail.example" });
      return { params: { code: sentCode }, as };
    },
    answer: (result) => assert.deepEqual(result, { email: "fixed@mail.example" }),
    refused: { "with a wrong code": () => wrongCode },
    again: (result, first) => assert.deepEqual(result, first),
  }),
  row(storageGet, {
    async good({ call, ann }) {
      await call(ann, storageSet, { name: "read", value: { some: "thing" } });
      return { params: { name: "read" } };
    },
    answer: (result) => assert.deepEqual(result, { value: { some: "thing" }, version: 1 }),
  }),
  row(storageSet, {
    good: () => ({ params: { name: "kept", value: { some: "thing" } } }),
    answer: (result) => assert.deepEqual(result, { version: 1 }),
    refused: {
      "what was changed since": () => ({ code: "conflict", params: { version: 7 } }),
      "what is too large": () => ({ code: "too_large", params: { value: { text: "x".repeat(16 * 1024) } } }),
    },
    again: (result) => assert.deepEqual(result, { version: 2 }),
  }),
];
