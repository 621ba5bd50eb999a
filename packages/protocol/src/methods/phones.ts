// Methods that api owns: accounts of a phone, proven by a code that is sent to it. All accounts of a phone are of one login.
import Type from "typebox";
import { displayText, nameText, Uid } from "../ids.ts";
import { limits } from "../limits.ts";
import { defineMethod } from "./method.ts";
import { Session } from "./session.ts";

const strict = { additionalProperties: false } as const;
const Phone = Type.String({ pattern: "^[0-9]{5,15}$", description: "digits, with the country's code, without plus" });
const Language = Type.String({ pattern: "^[a-zA-Z-]{2,16}$", description: "of the call or text" });
const Code = Type.String({ maxLength: 16 });
/** Whose registration it is: the device's own where it is asked on a connection, else that of the phone with this key. */
const whose = {
  phone: Type.Optional(Phone),
  deviceKey: Type.Optional(displayText({ minLength: 1, maxLength: 128 })),
};
const Sent = Type.Object({ expiresAt: Type.Integer({ description: "of the code, unix ms" }) });

export const phonesRegister = defineMethod({
  name: "phones.register",
  owner: "api",
  summary: "Sends a code to a phone: it logs in to the accounts of that phone, and makes the first one.",
  http: { verb: "POST", path: "/phones/register" },
  access: "public",
  mqtt: false,
  params: Type.Object({ ...whose, phone: Phone, language: Type.Optional(Language) }, strict),
  result: Sent,
  errors: ["forbidden", "rate_limited", "unavailable"],
});

export const phonesResend = defineMethod({
  name: "phones.resend",
  owner: "api",
  summary: "Sends the code again, or has it read out by a call.",
  http: { verb: "POST", path: "/phones/resend" },
  access: "public",
  mqtt: false,
  params: Type.Object({ ...whose, voice: Type.Optional(Type.Boolean()), language: Type.Optional(Language) }, strict),
  result: Sent,
  errors: ["not_found", "conflict", "forbidden", "rate_limited", "unavailable"],
});

export const phonesVerify = defineMethod({
  name: "phones.verify",
  owner: "api",
  summary:
    "A session for who knows the code, of the first account of the phone. After 5 wrong codes it is `forbidden`, and a new one is to be asked for.",
  http: { verb: "POST", path: "/phones/verify" },
  access: "public",
  mqtt: false,
  params: Type.Object(
    {
      ...whose,
      code: Code,
      dialect: Type.Optional(Type.String({ maxLength: 32, description: "the protocol that the device speaks" })),
      clientIds: Type.Optional(
        Type.String({ pattern: "^(?!sys_)[0-9a-zA-Z_]{1,32}$", description: "what the client id is to begin with" }),
      ),
    },
    strict,
  ),
  result: Session,
  errors: ["not_found", "conflict", "unauthenticated", "forbidden", "rate_limited"],
});

export const phonesAddAccount = defineMethod({
  name: "phones.addAccount",
  owner: "api",
  summary: `One more account for the phone of the caller's login, at most ${limits.loginAccounts}.`,
  http: { verb: "POST", path: "/phones/accounts" },
  changes: true,
  params: Type.Object({ name: Type.Optional(nameText({ maxLength: 128 })) }, strict),
  result: Type.Object({ uid: Uid }),
  errors: ["not_found", "conflict"],
});

export const phonesMigrate = defineMethod({
  name: "phones.migrate",
  owner: "api",
  summary: "Sends a code to another phone, to which the caller's login is to move.",
  http: { verb: "POST", path: "/phones/migrate" },
  params: Type.Object({ phone: Phone }, strict),
  result: Sent,
  errors: ["forbidden", "not_found", "rate_limited", "unavailable"],
});

export const phonesConfirm = defineMethod({
  name: "phones.confirm",
  owner: "api",
  summary:
    "Moves the caller's login to the phone whose code this is: the accounts keep their uids, and are found by that phone too.",
  http: { verb: "POST", path: "/phones/confirm" },
  changes: true,
  params: Type.Object({ phone: Phone, code: Code }, strict),
  result: Type.Object({ phone: Phone }),
  errors: ["not_found", "unauthenticated", "forbidden", "conflict", "rate_limited"],
});

const Email = Type.String({ maxLength: 254, pattern: "^[^\\s@]{1,64}@[^\\s@]{1,189}$" });

export const emailsLink = defineMethod({
  name: "emails.link",
  owner: "api",
  summary: "Sends a code to a mailbox.",
  http: { verb: "POST", path: "/emails/link" },
  params: Type.Object({ email: Email }, strict),
  result: Sent,
  errors: ["forbidden", "rate_limited", "unavailable"],
});

export const emailsConfirm = defineMethod({
  name: "emails.confirm",
  owner: "api",
  summary: "Whose code this is, that mailbox is the caller's.",
  http: { verb: "POST", path: "/emails/confirm" },
  params: Type.Object({ code: Code }, strict),
  result: Type.Object({ email: Email }),
  errors: ["not_found", "unauthenticated", "forbidden", "conflict", "rate_limited"],
});
