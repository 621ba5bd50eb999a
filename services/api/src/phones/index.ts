// The methods of phones and mailboxes: registration and login by a code, further accounts, migration.
import {
  AppError,
  emailsConfirm,
  emailsLink,
  type ParamsOf,
  phonesAddAccount,
  phonesConfirm,
  phonesMigrate,
  phonesRegister,
  phonesResend,
  phonesVerify,
  type ResultOf,
} from "@parley/protocol";
import type { Versioned } from "@parley/store";
import { loginOf } from "../accounts/logins/login.ts";
import { openSession, refuseDialect, type SessionParts } from "../accounts/sessions.ts";
import type { UserParts } from "../accounts/users.ts";
import { type Bound, bind, type Call, guesserOf } from "../call.ts";
import { knownUser, userGone } from "../known-users.ts";
import { randomName } from "../random-name.ts";
import type { CodeDoc } from "../store.ts";
import { addAccount, firstAccount, movePhone, phoneOfUser } from "./accounts.ts";
import { type CodeParts, checkCode, isOpen, sendCode } from "./codes.ts";

export type PhoneParts = CodeParts & UserParts & SessionParts;
type Whose = { phone?: string | undefined; deviceKey?: string | undefined };

export function phoneMethods(parts: PhoneParts): Bound[] {
  return [
    bind(phonesRegister, ({ phone, deviceKey, language }, call) => {
      const key = call.caller.clientId ? deviceOf(call.caller.clientId) : personOf({ phone, deviceKey });
      return sendCode(parts, { key, to: phone, deviceKey }, { phone, language });
    }),
    bind(phonesResend, async ({ voice, language, ...whose }, call) => {
      const kept = await codeOf(parts, whose, call);
      if (kept instanceof AppError) return kept;
      const { to: phone, deviceKey } = kept.doc;
      return sendCode(parts, { key: kept.key, to: phone, deviceKey }, { phone, voice, language });
    }),
    bind(phonesVerify, (params, call) => verify(parts, params, call)),
    bind(phonesAddAccount, async ({ name }, call) => {
      const uid = await addAccount(parts, name, call);
      return uid instanceof AppError ? uid : { uid };
    }),
    bind(phonesMigrate, async ({ phone }, { caller }) => {
      const hasPhone = (await phoneOfUser(parts, caller.uid)) !== undefined;
      if (!hasPhone) return new AppError("not_found", "your login has no phone");
      return sendCode(parts, { key: moveOf(caller.uid), to: phone }, { phone });
    }),
    bind(phonesConfirm, async ({ phone, code }, call) => {
      const wrong = await prove(parts, moveOf(call.caller.uid), { to: phone, code }, call);
      return wrong ?? (await movePhone(parts, call.caller.uid, phone)) ?? { phone };
    }),
    bind(emailsLink, ({ email }, { caller }) => sendCode(parts, { key: mailOf(caller.uid), to: email }, { email })),
    bind(emailsConfirm, async ({ code }, call) => {
      const key = mailOf(call.caller.uid);
      const email = (await parts.store.codes.get(key))?.doc.to ?? "";
      return (await prove(parts, key, { to: email, code }, call)) ?? { email };
    }),
  ];
}

const deviceOf = (clientId: string) => `device ${clientId}`;
const personOf = ({ phone = "", deviceKey = "" }: Whose) => `phone ${phone} ${deviceKey}`;
const moveOf = (uid: string) => `move ${uid}`;
const mailOf = (uid: string) => `mail ${uid}`;

/** Of the connection that asks; else of who says the phone and the device's key. */
async function codeOf({ store }: PhoneParts, whose: Whose, { caller }: Call): Promise<Versioned<CodeDoc> | AppError> {
  const own = caller.clientId === undefined ? undefined : await store.codes.get(deviceOf(caller.clientId));
  const kept = own && isOpen(own.doc) ? own : await ofPerson(store, whose);
  if (!kept) return new AppError("not_found", "no code is waited for; ask for one");
  const { to, deviceKey } = kept.doc;
  const isOther = (said: string | undefined, known: string | undefined) => said !== undefined && said !== known;
  if (isOther(whose.phone, to) || (deviceKey !== undefined && isOther(whose.deviceKey, deviceKey)))
    return new AppError("conflict", "phone and device key are not those of the registration");
  return kept;
}

async function ofPerson({ codes }: PhoneParts["store"], whose: Whose): Promise<Versioned<CodeDoc> | undefined> {
  if (whose.phone === undefined) return undefined;
  const { items } = await codes.find({ index: "to", equals: [whose.phone], limit: 100 });
  return items.findLast(
    ({ key, doc }) => !/^(move|mail) /.test(key) && doc.deviceKey === whose.deviceKey && isOpen(doc),
  );
}

async function verify(
  parts: PhoneParts,
  { code, dialect, clientIds, ...whose }: ParamsOf<typeof phonesVerify>,
  call: Call,
): Promise<ResultOf<typeof phonesVerify> | AppError> {
  const { store } = parts;
  const unknown = refuseDialect(dialect);
  if (unknown) return unknown;
  const kept = await codeOf(parts, whose, call);
  if (kept instanceof AppError) return kept;
  const wrong = await checkCode(parts, kept, code, guesserOf(call));
  if (wrong) return wrong;
  const uid = await firstAccount(parts, kept.doc.to, call);
  if (uid instanceof AppError) return uid;
  const user = await knownUser(store, uid);
  if (!user) return userGone();
  const { since } = await loginOf(store, user.doc);
  const clientId = clientIds === undefined ? undefined : `${clientIds}${randomName(20)}`;
  const { session, end } = await openSession(parts, { uid, since, clientId, dialect }, call);
  if (await knownUser(store, uid)) return session;
  await end();
  return userGone();
}

async function prove(
  parts: PhoneParts,
  key: string,
  { to, code }: { to: string; code: string },
  call: Call,
): Promise<AppError | undefined> {
  const kept = await parts.store.codes.get(key);
  if (!kept || kept.doc.expiresAt <= Date.now() || kept.doc.to !== to)
    return new AppError("not_found", "no code is waited for; ask for one");
  return checkCode(parts, kept, code, guesserOf(call));
}
