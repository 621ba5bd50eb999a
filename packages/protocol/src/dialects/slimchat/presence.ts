// SlimChat draft, Presence: how a user is there, and the four words of a subscription.
import type { JsonObject } from "../../codec.ts";
import { AppError } from "../../errors.ts";
import type { SubscriptionWord } from "../../methods/subscriptions.ts";
import type { Contact, PresenceNotice } from "../../packets/downlink.ts";
import { checkState, type StatePacket } from "../../packets/uplink.ts";
import { type Place, plainUid } from "./oids.ts";

const words: readonly SubscriptionWord[] = ["subscribe", "subscribed", "unsubscribe", "unsubscribed"];
const shows: Readonly<Record<string, StatePacket["show"]>> = {
  online: "online",
  chat: "online",
  away: "away",
  dnd: "dnd",
};

/** What a device says in a presence. */
export type SaidPresence =
  | { state: StatePacket; vcard?: Record<string, unknown> }
  | { word: SubscriptionWord; uid: string };

export function isPresence({ type }: JsonObject): boolean {
  return type === "online" || type === "offline" || words.includes(type as SubscriptionWord);
}

/** A device's presence packet. `to`, else the topic, says whose subscription it is about. */
export function readPresence(packet: JsonObject, place: Place, uid: string): SaidPresence | AppError {
  const { type, to, show = "online", status, vcard } = packet;
  if (words.includes(type as SubscriptionWord)) {
    const other = to === undefined ? place.uid : plainUid(to);
    if (other === undefined) return new AppError("invalid_packet", "whom is it about? Say it on the user's topic");
    return { word: type as SubscriptionWord, uid: other };
  }
  if (place.uid !== uid)
    return new AppError("forbidden", `how you are there is said on your own topic, ${place.form}user/${uid}`);
  if (!Object.hasOwn(shows, `${show}`)) return new AppError("invalid_packet", "show must be online, chat, away or dnd");
  if (vcard !== undefined && (typeof vcard !== "object" || vcard === null || Array.isArray(vcard)))
    return new AppError("invalid_packet", "vcard must be an object");
  const said = {
    show: type === "offline" ? "invisible" : shows[`${show}`],
    ...(status === undefined ? {} : { status }),
  };
  const state = checkState(said);
  if (state instanceof AppError) return state;
  return vcard === undefined ? { state } : { state, vcard: vcard as Record<string, unknown> };
}

/** How a contact is there. `vcard`: of its profile. */
export function writePresence(presence: Omit<PresenceNotice, "type">, vcard?: object): JsonObject {
  const { uid, show, status = "", lastSeen } = presence;
  return {
    id: uid,
    from: uid,
    type: show === "offline" ? "offline" : "online",
    // The draft has no `show` of who is offline, and no packet without one.
    show: show === "online" ? "chat" : show === "offline" ? "away" : show,
    status,
    ...(vcard && Object.keys(vcard).length > 0 ? { vcard } : {}),
    ...(lastSeen === null ? {} : { lastSeen }),
  };
}

type Relation = Contact["relation"];

/** The word of a subscription that a change of a roster is; `before`: how the two were, as far as the device was told. */
export function writeSubscription({ id, relation }: Contact, uid: string, before?: Relation): JsonObject | undefined {
  if (relation === before) return undefined;
  const from = relation === "requested" ? uid : id;
  const ended = before === "contact" || before === "pending" ? "unsubscribe" : "unsubscribed";
  const type = relation === "contact" ? "subscribed" : asks.has(relation) ? "subscribe" : ended;
  return { id: from, from, to: from === uid ? id : uid, type, show: "chat", status: "" };
}

const asks: ReadonlySet<Relation> = new Set(["pending", "requested"]);
