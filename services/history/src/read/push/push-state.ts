// history.push: what there is to be said of messages to users in notifications, as any replica knows it now.
import { setImmediate as nextLoop } from "node:timers/promises";
import {
  AppError,
  isConv,
  isThereWith,
  isUid,
  limits,
  type PushAsked,
  type PushState,
  type PushStateRequest,
  pushAskedMax,
} from "@parley/protocol";
import { mayRead as isInStay, isPresent, memberOrRefusal, sees, unreadOf } from "../../fold/members.ts";
import type { Member } from "../../keep/store.ts";
import { readBlocked } from "../../write/refused.ts";
import type { End } from "../ends/end.ts";
import { settingsOf } from "../own-state.ts";
import type { Reading } from "../reading.ts";
import { type KnownUsers, knownUsers } from "./members.ts";
import { placeKey, type ShownMessage, shownMessages } from "./messages.ts";
import { startReply } from "./reply.ts";

/** Looked up together: what does not fit into the reply is looked up in vain, and messages are stored between two such looks. */
const atOnce = 50;

/** JSON text of a PushStateReply: about the first of what was asked, as many as a reply holds. */
export async function pushState(reading: Reading, { asked }: PushStateRequest): Promise<string> {
  if (!isValid(asked)) throw new AppError("invalid_packet", `asked: 1 to ${pushAskedMax} of uid, conv and seq`);
  const reply = startReply(limits.requestBytes);
  for (let at = 0; at < asked.length; at += atOnce) {
    await nextLoop();
    const some = asked.slice(at, at + atOnce);
    const [users, messages] = await Promise.all([knownUsers(reading, some), shownMessages(reading.store, some)]);
    const looked = some.map((one) => {
      const place = placeKey(one);
      const message = messages.get(place);
      return { one, place, message, pair: message && { owner: one.uid, other: message.from } };
    });
    const hasBlocked = await readBlocked(reading.store, looked.flatMap(({ pair }) => pair ?? [])); // biome-ignore format: one line reads better
    for (const { one, place, message, pair } of looked) {
      const isBlocked = pair !== undefined && hasBlocked(pair);
      const { name = "" } = users.end(one.conv) ?? {};
      const answered = {
        state: stateOf(one, { users, message, isBlocked }),
        ...{ uid: one.uid, place, text: message?.text ?? null, badge: users.badge(one.uid) },
        room: one.conv.startsWith("room/") && name !== "" ? { conv: one.conv, name } : undefined,
      };
      if (!reply.add(answered)) return reply.text();
    }
  }
  return reply.text();
}

function isValid(asked: unknown): asked is readonly PushAsked[] {
  return Array.isArray(asked) && asked.length > 0 && asked.length <= pushAskedMax && asked.every(isAsked);
}

function isAsked(asked: unknown): asked is PushAsked {
  const { uid, conv, seq, clientId = "" } = (asked ?? {}) as Record<string, unknown>;
  const isPlace = typeof conv === "string" && isConv(conv) && Number.isSafeInteger(seq) && (seq as number) > 0;
  return isPlace && typeof uid === "string" && isUid(uid) && typeof clientId === "string";
}

interface About {
  users: KnownUsers;
  message: ShownMessage | undefined;
  isBlocked: boolean;
}

function stateOf(asked: PushAsked, { users, message, isBlocked }: About): PushState {
  const { uid, conv, clientId } = asked;
  const known = users.member(conv, uid);
  const badge = badgeOf(users, asked);
  if (!isBlocked && isInvited(known, asked, message))
    return { mayRead: false, isInvited: true, readSeq: 0, unread: 0, ...badge };
  const asker = { uid, ...(clientId !== undefined && { clientId }) };
  const member = memberOrRefusal({ conv, member: known, room: undefined }, asker);
  if (member instanceof AppError) return { mayRead: false, readSeq: 0, unread: 0, ...badge };
  const end = users.end(conv);
  const { mutedUntil = 0, name } = settingsOf(member);
  return {
    mayRead: !isBlocked && maySee(member, asked.seq, message),
    readSeq: member.readSeq,
    ...(mutedUntil > Date.now() && { mutedUntil }),
    ...(isMentioned(member, asked.seq, { message, end }) && { mentioned: true as const }),
    unread: isPresent(member) ? unreadOf(member, end?.ord ?? 0, end?.recalled ?? []) : 0,
    ...(name !== undefined && { name }),
    ...badge,
  };
}

function badgeOf(users: KnownUsers, { uid, clientId }: PushAsked): { badge?: number } {
  const badge = clientId === undefined ? undefined : users.badgeOf(uid, clientId);
  return badge === undefined ? {} : { badge };
}

// It is shown as its last edit left it: who has left before that has nothing to be told.
function maySee(member: Member, seq: number, message: ShownMessage | undefined): boolean {
  return sees(member, seq) && (message?.editSeq === undefined || isInStay(member, message.editSeq));
}

function isInvited(
  member: Member | undefined,
  { uid, clientId }: PushAsked,
  message: ShownMessage | undefined,
): boolean {
  const { pending } = member ?? {};
  return message?.invites.includes(uid) === true && pending?.as === "invited" && isThereWith(pending, clientId);
}

function isMentioned(
  member: Member,
  seq: number,
  { message, end }: { message: ShownMessage | undefined; end: End | undefined },
): boolean {
  if (message?.mentions?.uids.includes(member.uid)) return true;
  // Edits mention too.
  const ofAll = isPresent(member) ? (end?.mentionsOfAll ?? []) : [];
  return [...(member.mentions ?? []), ...ofAll].some(([at]) => at === seq);
}
