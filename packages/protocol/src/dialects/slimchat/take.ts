// What a device published: a message, a receipt or a presence, by its topic and type.
import { decodeObject, type JsonObject } from "../../codec.ts";
import { AppError } from "../../errors.ts";
import { changeSubscription } from "../../methods/subscriptions.ts";
import { profileGet, profileUpdate } from "../../methods/users.ts";
import { checkReceipt } from "../../packets/uplink.ts";
import type { Parley, Published } from "../dialect.ts";
import { idOf, writeRefusal } from "./events.ts";
import { convFor, readMessage, writeAck } from "./messages.ts";
import { formOf, type Place, readTopic } from "./oids.ts";
import { isPresence, readPresence } from "./presence.ts";
import type { Voice } from "./voice.ts";

/** Does what the packet says; a refusal is told on the device's own topic. Rejects when the router stops. */
export async function take(published: Published, voice: Voice, parley: Parley): Promise<void> {
  const refusal = await work(published, voice, parley);
  if (refusal) await tellRefused(published, refusal, voice, parley);
}

/** `payload`: as much of it as there is. */
export async function tellRefused(
  { topic, payload }: Pick<Published, "topic" | "payload">,
  refusal: AppError,
  voice: Voice,
  parley: Parley,
): Promise<void> {
  const form = formOf(topic);
  if (form !== undefined) voice.published(form);
  await parley.say(voice.toDevice(writeRefusal(idOf(payload), refusal, voice.uid, Date.now())));
}

interface Come {
  packet: JsonObject;
  place: Place;
  /** as it came */
  published: Published;
}
type Work = (come: Come, voice: Voice, parley: Parley) => Promise<AppError | undefined>;

async function work(published: Published, voice: Voice, parley: Parley): Promise<AppError | undefined> {
  const place = readTopic(published.topic);
  if (place instanceof AppError) return place;
  voice.published(place.form);
  const packet = decodeObject(published.payload);
  if (packet instanceof AppError) return packet;
  // Of a device that is gone; presence knows it by itself, and whether the user has others.
  if (published.will && isPresence(packet)) return undefined;
  const step = isPresence(packet) ? sayPresence : isReceipt(packet) ? mark : send;
  return step({ packet, place, published }, voice, parley);
}

const send: Work = async ({ packet, place, published }, voice, parley) => {
  const message = readMessage(packet, place, voice.uid);
  if (message instanceof AppError) return message;
  const stored = await parley.send(message, { packet: published });
  if (stored instanceof AppError) return stored;
  await parley.say(voice.toDevice(writeAck(packet, message, stored, voice.uid)));
  return undefined;
};

// As receipts are told: `content.data` is `{"event":"receipt","delivered"?,"read"?}`.
const mark: Work = async ({ packet, place }, { uid }, parley) => {
  const { delivered, read } = (packet.content as { data: JsonObject }).data;
  const receipt = checkReceipt({
    conv: convFor(packet, place, uid),
    ...(delivered === undefined ? {} : { delivered }),
    ...(read === undefined ? {} : { read }),
  });
  return receipt instanceof AppError ? receipt : refusalOf(parley.receipt(receipt));
};

const sayPresence: Work = async ({ packet, place }, { uid }, parley) => {
  const said = readPresence(packet, place, uid);
  if (said instanceof AppError) return said;
  if ("word" in said)
    return changeSubscription({ type: said.word, uid: said.uid }, (method, params) => parley.call(method, params));
  // First: whoever is told of the presence looks at the profile then.
  const refusal = said.vcard && (await refusalOf(changeVcard(parley, said.vcard)));
  return refusal ?? refusalOf(parley.state(said.state));
};

async function changeVcard(parley: Parley, vcard: Record<string, unknown>): Promise<void> {
  const profile = await parley.call(profileGet, {});
  if (JSON.stringify(profile.vcard) !== JSON.stringify(vcard)) await parley.call(profileUpdate, { vcard });
}

async function refusalOf(done: Promise<void>): Promise<AppError | undefined> {
  return done.then(() => undefined, AppError.from);
}

function isReceipt({ content }: JsonObject): boolean {
  const { type, data } = (content ?? {}) as { type?: unknown; data?: { event?: unknown } | null };
  return type === "event" && typeof data === "object" && data?.event === "receipt";
}
