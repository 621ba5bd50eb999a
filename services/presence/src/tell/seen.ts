// How users look to others: presence.list and presence.get, and what notices say.
import {
  type AppError,
  type Caller,
  limits,
  type ParamsOf,
  type Presence,
  type PresenceNotice,
  presenceGet,
  presenceList,
  type ResultOf,
  type SeenReply,
  type SeenRequest,
  subjects,
} from "@parley/protocol";
import { available, handle, type MethodHandler, type NatsConnection, requestJson } from "@parley/runtime";
import type { Told } from "../sessions/change.ts";
import type { Sessions } from "../sessions/sessions.ts";
import type { Contacts } from "./contacts.ts";
import type { LastSeen } from "./last-seen.ts";

interface Parts {
  nats: NatsConnection;
  contacts: Contacts;
  told: Sessions["told"];
  lastSeen: LastSeen;
}

type Listed = ResultOf<typeof presenceList>;

const defaultLimit = 500;
const askMs = 5000;
/** of an answer around its contacts */
const restBytes = 256;

/** What others are told of a user; undefined: it has no session. */
export function noticeOf(uid: string, told: Told | undefined, lastSeen: number | null = null): PresenceNotice {
  if (told === undefined || told.show === "invisible") return { type: "presence", uid, show: "offline", lastSeen };
  const { show, status } = told;
  return { type: "presence", uid, show, ...(status ? { status } : {}), lastSeen: null };
}

export function presenceMethods(parts: Parts): MethodHandler[] {
  return [
    handle(presenceList, (params, caller) => available(() => listContacts(parts, params, caller))),
    handle(presenceGet, ({ uid }, caller) => available(() => getPresence(parts, { uid, by: caller.uid }))),
  ];
}

// The page goes on behind a uid, as contacts come and go between the pages.
async function listContacts(
  { contacts }: Parts,
  { limit = defaultLimit, page = "" }: ParamsOf<typeof presenceList>,
  { uid, maxBytes }: Caller,
): Promise<Listed> {
  const { uids: all, states } = await contacts.of(uid);
  const uids = all.filter((contact) => contact > page).sort();
  let room = Math.min(limits.pageBytes, maxBytes ?? limits.pageBytes) - restBytes;
  const found: Presence[] = [];
  for (const contact of uids) {
    const { type: _, ...presence } = noticeOf(contact, states.get(contact));
    if (presence.show === "offline") continue;
    room -= Buffer.byteLength(JSON.stringify(presence)) + 1;
    const last = found.at(-1);
    if (last && (room < 0 || found.length === limit)) return { contacts: found, next: last.uid };
    found.push(presence);
  }
  return { contacts: found, next: null };
}

async function getPresence({ nats, told, lastSeen }: Parts, request: SeenRequest): Promise<Presence | AppError> {
  const may = await requestJson<SeenReply>(nats, subjects.seen, request, { timeoutMs: askMs });
  const { uid = request.uid } = may;
  const state = may.presence ? (await told([uid])).get(uid) : undefined;
  const at = may.lastSeen ? await lastSeen.of(uid) : undefined;
  const { type: _, ...presence } = noticeOf(uid, state, at ?? null);
  return presence;
}
