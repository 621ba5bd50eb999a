// Auth/…: registration by a code that is sent to a phone, and the logins of a phone.
import { AppError } from "../../../errors.ts";
import { logout } from "../../../methods/accounts.ts";
import { devicesList } from "../../../methods/devices.ts";
import { phonesRegister, phonesResend, phonesVerify } from "../../../methods/phones.ts";
import { type PushRegistration, pushRegister, pushRemove } from "../../../methods/push.ts";
import { Atom, Tuple } from "../bert/term.ts";
import { binary, io, ok, ok2, refusal, tuple } from "../device/answers.ts";
import { type Call, clientIdsOf, type Device, entryOf } from "../device/device.ts";
import { changeStored, readStored } from "../device/storage.ts";
import type { RecordOf } from "../records/record.ts";
import { auth } from "../records/sessions.ts";

type Auth = RecordOf<typeof auth>;

/** Of anybody. */
const registering: Readonly<Record<string, (device: Device, record: Auth) => Promise<void>>> = {
  reg,
  voice,
  resend,
  verify,
};

/** Of who is logged in. */
const loggedIn: typeof registering = { login: greet, logout: end, push, list };

export async function takeAuth({ device }: Call, record: Auth): Promise<void> {
  const type = record.type ?? "";
  const isUser = device.tree.owner === "user";
  const act = entryOf(registering, type) ?? (isUser ? entryOf(loggedIn, type) : undefined);
  if (act) return act(device, record);
  return device.answer(refusal(entryOf(loggedIn, type) ? "not_authorized" : "invalid_data"));
}

async function reg(device: Device, record: Auth): Promise<void> {
  if (record.services?.includes("jwt")) return device.answer(refusal("invalid_jwt_code"));
  const phone = digits(record.phone) ?? "";
  const sent = await device.parley
    .call(phonesRegister, { ...whose(record), phone, ...languageOf(record) })
    .catch(AppError.from);
  if (!(sent instanceof AppError)) return device.answer(ok("sms_sent"));
  await device.refuse(sent, {
    invalid_packet: "number_not_allowed",
    forbidden: "number_not_allowed",
    unavailable: "sms_send",
  });
}

/** Also those who write a plus, blanks or dashes. */
function digits(phone: string | undefined): string | undefined {
  return phone?.replaceAll(/[\s()+-]/g, "");
}

function whose({ phone, user_id, dev_key }: Auth): { phone?: string; deviceKey?: string } {
  const number = digits(phone ?? user_id);
  return {
    ...(number !== undefined && /^[0-9]{5,15}$/.test(number) ? { phone: number } : {}),
    ...(dev_key === undefined ? {} : { deviceKey: dev_key.slice(0, 128) }),
  };
}

function languageOf({ services = [] }: Auth): { language?: string } {
  const [language] = services.filter((one) => /^[a-zA-Z-]{2,16}$/.test(one) && one !== "jwt");
  return language === undefined ? {} : { language };
}

const sessionWords = { not_found: "session_not_found", conflict: "mismatch_user_data" } as const;

/** The token is none before the code is proven. */
async function voice(device: Device, record: Auth): Promise<void> {
  const sent = await device.parley
    .call(phonesResend, { ...whose(record), voice: true, ...languageOf(record) })
    .catch(AppError.from);
  const token = tuple("Auth", binary(""));
  if (!(sent instanceof AppError)) return device.answer(io(tuple("ok", new Atom("call_in_progress")), token));
  const word = sent.code === "not_found" || sent.code === "conflict" ? "session_not_found" : "sms_send";
  await device.answer(io(tuple("error", new Atom(word)), token));
}

async function resend(device: Device, record: Auth): Promise<void> {
  const sent = await device.parley.call(phonesResend, { ...whose(record), ...languageOf(record) }).catch(AppError.from);
  if (!(sent instanceof AppError)) return device.answer(ok("sms_sent"));
  await device.refuse(sent, { ...sessionWords, unavailable: "sms_send" });
}

async function verify(device: Device, record: Auth): Promise<void> {
  const asked = { ...whose(record), code: record.sms_code ?? "", dialect: "chat", clientIds: clientIdsOf(device.set) };
  const session = await device.parley.call(phonesVerify, asked).catch(AppError.from);
  if (session instanceof AppError)
    return device.refuse(session, {
      ...sessionWords,
      unauthenticated: "invalid_sms_code",
      forbidden: "attempts_expired",
    });
  await device.answer(loginOf(session.clientId, session.token));
}

function loginOf(clientId: string, token: string): Tuple {
  return ok2("login", new Tuple([binary(clientId), binary(token)]));
}

/** Silence is a good token; one that ran out is followed by the next. */
export async function renew(device: Device): Promise<void> {
  if (device.tree.expired !== true) return;
  await device.answer(loginOf(device.tree.clientId, await device.parley.renewToken()));
}

async function greet(device: Device): Promise<void> {
  await renew(device).catch((error) => device.refuse(AppError.from(error)));
}

/** Said before it is done: what is done ends the connection. */
async function end(device: Device, { token = "" }: Auth): Promise<void> {
  await device.answer(io(tuple("ok", new Atom("logout")), tuple("Auth", binary(token))));
  await device.parley.call(logout, {});
}

const pushMax = 20;

/** What the programs' systems are notified by; others, as a web page's, by nothing that a token says. */
const kinds: Readonly<Record<string, PushRegistration["kind"]>> = { ios: "apns", android: "fcm" };

async function push(device: Device, { push: token, os = "" }: Auth): Promise<void> {
  if (token === undefined || token.length > 1_024) return device.answer(refusal("mismatch_user_data"));
  const refused = await register(device, token, entryOf(kinds, os.toLowerCase()));
  if (refused) return device.refuse(refused, { invalid_packet: "mismatch_user_data" });
  const { uid, clientId } = device.tree;
  const kept = await changeStored(device, uid, (stored) => {
    stored.push = Object.fromEntries(
      [
        ...Object.entries(stored.push).filter(([id]) => id !== clientId),
        [clientId, { push: token, os: os.slice(0, 16) }],
      ].slice(-pushMax),
    );
  }).catch(AppError.from);
  if (kept instanceof AppError) return device.refuse(kept);
  await device.answer(io(binary("")));
}

/** An empty one takes back what was registered. */
async function register(
  { parley }: Device,
  token: string,
  kind: PushRegistration["kind"] | undefined,
): Promise<AppError | undefined> {
  if (kind === undefined && token !== "") return undefined;
  const done = token === "" ? parley.call(pushRemove, {}) : parley.call(pushRegister, { kind: kind!, token });
  const refused = await done.then(() => undefined, AppError.from);
  // Of programs that name no app this server may know none: then it keeps the token, and notifies nobody by it.
  return refused?.code === "forbidden" ? undefined : refused;
}

/** One packet a login; nobody is shown another one's token. */
async function list(device: Device): Promise<void> {
  const { uid } = device.tree;
  const found = await Promise.all([device.parley.call(devicesList, {}), readStored(device, uid)]).catch(AppError.from);
  if (found instanceof AppError) return device.refuse(found);
  const [{ devices }, stored] = found;
  for (const { clientId, createdAt, lastSeen } of devices) {
    const known = stored.push[clientId];
    const login: Auth = {
      tup: "Auth",
      client_id: clientId,
      user_id: uid,
      phone: device.phone,
      type: "list",
      push: known?.push,
      os: known?.os,
      created: createdAt,
      last_online: lastSeen ?? undefined,
    };
    await device.answer(auth.write(login, device.set));
  }
}
