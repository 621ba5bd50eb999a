// What was said in a room, as listeners read it: objects with all their fields, all of them texts.
import type { NackPacket } from "../../packets/downlink.ts";
import { deviceTopic } from "../../topics.ts";
import type { Tree } from "../../trees.ts";
import type { Downlink, Parley, Said, Speaker } from "../dialect.ts";
import { spellOut } from "../spell-out.ts";
import { whenKnown } from "../when-known.ts";
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
const written = new WeakMap<Downlink, string | Promise<string>>();

function say(topic: string, packet: Downlink, parley: Parley): Said[] | Promise<Said[]> {
  const asSaid = (payload: string) => [{ topic, payload }];
  // What is said about another message is asked for in the name of each device.
  if (pointsAt(packet as unknown as Worded) !== undefined) return whenKnown(writeSaid(packet, parley), asSaid);
  const payload = written.get(packet) ?? writeSaid(packet, parley);
  written.set(packet, payload);
  return whenKnown(payload, asSaid);
}

function writeSaid(packet: Downlink, parley: Parley): string | Promise<string> {
  const message = packet as unknown as Worded;
  const isGuest = parley.guests.some(({ name }) => name === message.from);
  const isNotice = packet.notice === true || notices.has(message.content.type);
  // The nick of a guest is looked at when it is said; one that a user gives itself could be anybody's name.
  const from = isGuest && typeof message.nick === "string" ? message.nick : message.from;
  return whenKnown(spellOut(packet, parley), (text) =>
    writePayload({ isNotice, from, text: isGuest ? text : withNick(message, text) }),
  );
}

// That a topic is a room from its first message on is nobody's news.
function isOpening({ from, content }: Downlink): boolean {
  const { type, data } = content as { type: unknown; data?: { event?: unknown } | null };
  return from === "parley" && type === "event" && data?.event === "create";
}
