// What was said in a room, as listeners read it: objects with all their fields, all of them texts.
import type { NackPacket } from "../../packets/downlink.ts";
import { deviceTopic } from "../../topics.ts";
import type { Tree } from "../../trees.ts";
import type { Downlink, Parley, Said, Speaker } from "../dialect.ts";
import { spellOut } from "../spell-out.ts";
import { pointsAt, type Worded, withNick } from "../words.ts";
import { writePayload } from "./payload.ts";
import { mayUse, topicForWords, topicOf } from "./topics.ts";

/** Said about messages, and not one. */
const notices: ReadonlySet<string> = new Set(["event", "recall", "reaction", "vote", "close", "erased"]);

export function createRender(tree: Tree, parley: Parley): Speaker["render"] {
  return (packet) => {
    const { type, conv, content } = packet;
    if (type === "nack") return refusal(packet as unknown as NackPacket, tree, parley);
    if (typeof conv !== "string" || typeof content !== "object" || content === null) return [];
    const topic = topicOf(conv);
    if (topic === undefined || !mayUse(topic, tree) || isOpening(packet)) return [];
    return say(topic, packet, parley);
  };
}

/** Of a native packet of the device, where it is told on no native topic. */
function refusal({ id, message }: NackPacket, tree: Tree, { hears }: Parley): Said[] {
  const topic = topicForWords(tree, hears);
  if (topic === undefined || hears(deviceTopic(tree.uid, tree.clientId))) return [];
  const text = `refused${id === null ? "" : ` (${id})`}: ${message}`;
  return [{ topic, payload: writePayload({ isNotice: true, from: "parley", text }) }];
}

/** Of a packet that many devices get: it is written once. */
const written = new WeakMap<Downlink, Promise<string>>();

async function say(topic: string, packet: Downlink, parley: Parley): Promise<Said[]> {
  // What is said about another message is asked for in the name of each device.
  if (pointsAt(packet as unknown as Worded) !== undefined) return [{ topic, payload: await writeSaid(packet, parley) }];
  const payload = written.get(packet) ?? writeSaid(packet, parley);
  written.set(packet, payload);
  return [{ topic, payload: await payload }];
}

async function writeSaid(packet: Downlink, parley: Parley): Promise<string> {
  const message = packet as unknown as Worded;
  const text = await spellOut(packet, parley);
  const isGuest = parley.guests.some(({ name }) => name === message.from);
  const isNotice = packet.notice === true || notices.has(message.content.type);
  // The nick of a guest is looked at when it is said; one that a user gives itself could be anybody's name.
  const from = isGuest && typeof message.nick === "string" ? message.nick : message.from;
  return writePayload({ isNotice, from, text: isGuest ? text : withNick(message, text) });
}

// That a topic is a room from its first message on is nobody's news.
function isOpening({ from, content }: Downlink): boolean {
  const { type, data } = content as { type: unknown; data?: { event?: unknown } | null };
  return from === "parley" && type === "event" && data?.event === "create";
}
