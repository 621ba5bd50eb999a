// A device of bob's in each protocol, opened as a router opens it: what it is said of a packet, and of what it publishes itself.
import {
  AppError,
  conversationsList,
  deviceTopic,
  ephemeralTopic,
  historyGet,
  messagesTopic,
  presenceGet,
  roomsGet,
  roomsMembers,
  usersGet,
} from "@parley/protocol";
import { type Dialect, type Downlink, dialectOf, type Published, type Said } from "@parley/protocol/dialects";
import { channelIdOf } from "../../../packages/protocol/src/dialects/asschat/names.ts";
import { encodeTerm } from "../../../packages/protocol/src/dialects/chat/bert/encode.ts";
import { message } from "../../../packages/protocol/src/dialects/chat/records/messages.ts";
import { published, recordParley, treeOf } from "../../../packages/protocol/test/recorded-parley.ts";
import { direct, earlier, messageOf, room } from "./examples.ts";
import { shownJson, shownProperties, shownTerm } from "./payloads.ts";

export interface Listener {
  name: string;
  /** its filters, as the page says them */
  filters: readonly string[];
  /** What it is said of the last of these. */
  hear(packets: readonly Downlink[]): Promise<readonly Said[]>;
  /** What it is said when it publishes this text; `too large`: of which only the beginning came in. */
  send?(to: "alice" | "nobody" | "tea", text: string, size?: "too large"): Promise<readonly Said[]>;
  /** `whole`: with what all its messages have. */
  show(said: Said, whole?: "whole"): string;
}

const uid = "bob";
const clientId = "bob:phone";
const filters = [messagesTopic(uid), ephemeralTopic(uid), deviceTopic(uid, clientId)];

const ephemeral: readonly unknown[] = ["typing", "presence"];
const forDevice: readonly unknown[] = ["ack", "nack"];

const native: Listener = {
  name: "native",
  filters,
  async hear(packets) {
    const packet = packets.at(-1) ?? {};
    const [messages = "", moment = "", device = ""] = filters;
    const topic = ephemeral.includes(packet.type) ? moment : forDevice.includes(packet.type) ? device : messages;
    return [{ topic, payload: JSON.stringify(packet) }];
  },
  show: (said, whole) => shownJson(said, whole ? [] : ["conv", "seq", "from", "device", "ts", "id", "to"]),
};

interface Device {
  dialect: string;
  clientId: string;
  filters: readonly string[];
  /** The packet of a text to a user or the room; undefined: it has none for users. */
  text(to: string, text: string): Published | undefined;
  show: Listener["show"];
}

function listenerOf({ dialect: name, clientId, filters, text, show }: Device): Listener {
  const dialect = dialectOf({ name }) as Dialect;
  const open = () => {
    const parley = recordParley(uid, [...filters]);
    parley.answer(historyGet, ({ conv, after, before = 13 }) => {
      const about = earlier(conv, after === undefined ? before - 1 : after + 1);
      return { messages: about === undefined ? [] : [about as never], firstSeq: 11, lastSeq: 20, more: false };
    });
    const named = { name: "", nick: "", avatar: "", role: "member" as const, joinSeq: 1 };
    parley.answer(roomsMembers, () => ({
      members: ["alice", "bob", "carol"].map((one) => ({ uid: one, ...named })),
      next: null,
    }));
    const names = { conv: "room/tea", name: "Tea", nick: "Tea", group: "", avatar: "" };
    const made = { createdBy: "alice", createdAt: 1_795_240_000_000, settings: {}, role: "member" as const };
    parley.answer(roomsGet, ({ id }) => ({ id, ...names, ...made }));
    const unread = { readSeq: 0, unread: 0, unreadMentions: 0, muted: false, pinned: false, lastMessage: null };
    parley.answer(conversationsList, () => ({
      conversations: [{ conv: direct, name: "alice", lastSeq: 20, ...unread }],
      next: null,
    }));
    const texts = { name: "Alice Ray", nick: "Al", avatar: "", status: "", language: "" };
    parley.answer(usersGet, (asked) => ({ uid: asked.uid, ...texts, vcard: { tel: "+49 30 2" } }));
    parley.answer(presenceGet, (asked) => ({ uid: asked.uid, show: "online" as const, lastSeen: null }));
    for (const kind of ["user", "room"])
      parley.refuse(`${kind}/nobody`, new AppError("not_found", `there is no ${kind} nobody`));
    return { parley, speaker: dialect.open({ ...treeOf(uid, clientId), filters: [...filters] }, parley) };
  };
  return {
    name,
    filters,
    async hear(packets) {
      const { parley, speaker } = open();
      let said: readonly Said[] = [];
      for (const packet of packets) said = await speaker.render(packet);
      return said.filter(({ topic }) => parley.hears(topic));
    },
    async send(to, words, size) {
      const packet = text(to, words);
      if (packet === undefined) return [];
      const { parley, speaker } = open();
      if (size === "too large") await speaker.refused?.(packet, new AppError("too_large"));
      else await speaker.take(packet);
      const own = { id: "m9", device: clientId };
      const echo =
        dialect.echoes && to !== "nobody" && size === undefined ? await speaker.render(ownText(to, words, own)) : [];
      return [...parley.said, ...echo].filter(({ topic }) => parley.hears(topic));
    },
    show,
  };
}

function ownText(to: string, data: string, more: object): Downlink {
  return messageOf(to === "tea" ? room : direct, 20, uid, { type: "text", data }, more);
}

const isRoom = (to: string) => to === "tea";

const devices: Device[] = [
  {
    dialect: "slimchat",
    clientId: "slim-bob",
    filters: ["#"],
    text(to, data) {
      const packet = { id: "m9", type: isRoom(to) ? "grpchat" : "chat", content: { type: "text", data } };
      return published(isRoom(to) ? `$IM/room/${to}` : `$IM/user/${to}`, packet);
    },
    show: (said, whole) => shownJson(said, whole ? [] : ["id", "from", "to", "thread", "ts", "seq"]),
  },
  {
    dialect: "asschat",
    clientId: "bob:pc",
    filters: ["ass/#"],
    text(to, words) {
      const chid = to === "alice" ? channelIdOf(direct) : `$${to}`;
      return published(`ass/msg/${chid}`, "", { payload: new TextEncoder().encode(words) });
    },
    show: (said, whole) => shownProperties(said, whole ? [] : ["CHID", "From", "Id", "Seq", "Ts"]),
  },
  {
    dialect: "asschat-json",
    clientId: "bob:pc",
    filters: ["#", "status/+"],
    text: (to, msg) => published(`ch/${to === "alice" ? channelIdOf(direct) : to}`, { msg }),
    show: (said, whole) => shownJson(said, whole ? [] : ["msg_id", "from", "timestamp"]),
  },
  {
    dialect: "mqtt-chat",
    clientId: uid,
    filters: ["bob/o/+", "tea/g/+", "tea/o/c", "+/s/+"],
    text: (to, m) => published(isRoom(to) ? `${to}/g/m` : `${to}/o/m`, { m, i: "m9", s: uid, c: "TEXT", d: true }),
    show: (said, whole) => shownJson(said, whole ? [] : ["i", "s", "d", "t"]),
  },
  {
    dialect: "chat",
    clientId: "emqttd_v1_bob",
    filters: ["#"],
    text(to, payload) {
      const feed = isRoom(to) ? { tup: "muc" as const, name: to } : { tup: "p2p" as const, from: to, to: uid };
      const files = [{ tup: "Desc" as const, id: "d9", mime: "text", payload }];
      const record = { tup: "Message" as const, feed_id: feed, msg_id: "m9", from: uid, to, files, status: "client" };
      return published("events/1//api/anon//", "", { payload: encodeTerm(message.write(record, "v1")) });
    },
    show: shownTerm,
  },
  {
    dialect: "chatroom",
    clientId: "bob:room",
    filters: ["tea"],
    text: (to, words) => (isRoom(to) ? published(to, { type: "message", from: uid, message: words }) : undefined),
    show: (said, whole) => shownJson(said, whole ? [] : ["from"]),
  },
];

export const listeners: readonly Listener[] = [native, ...devices.map(listenerOf)];
