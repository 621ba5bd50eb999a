// What two devices of each protocol say and hear when one sends the other a text, as programs of that protocol do.
import { deviceTopic, messagesTopic, uplinkTopic } from "@parley/protocol";
import { ingestPartition } from "@parley/protocol/partition";
import { type Atom, encodeBert } from "./bert.ts";
import { mark, markedText } from "./marks.ts";

export interface Side {
  /** a user, or the name of a guest */
  uid: string;
  clientId: string;
  subscribes: readonly string[];
}

/** One pair: the sender's packet has a `mark` wherever it has to be another's. */
export interface Speech {
  sender: Side;
  receiver: Side;
  topic: string;
  packet: Buffer;
  /** a room that both are members of */
  room?: string;
}

export interface Spoken {
  /** by which a token says it; undefined: no token names it */
  dialect: string | undefined;
  /** of guests, who log in with a password of the configuration */
  isGuests?: true;
  /** when the sender knows that its message is stored */
  acknowledged: { by: "packet" | "puback" | "correlation"; words: string };
  speech(index: number): Speech;
}

/** A guest of the configuration: its name, which is its password and what its topics begin with. */
export const guest = "bench";

export const spoken = {
  native: {
    dialect: undefined,
    acknowledged: { by: "packet", words: "its ack" },
    speech(index) {
      const [from, to] = [`native-s${index}`, `native-r${index}`];
      const [clientId, other] = [`${from}:bench`, `${to}:bench`];
      return {
        sender: { uid: from, clientId, subscribes: [deviceTopic(from, clientId)] },
        receiver: { uid: to, clientId: other, subscribes: [messagesTopic(to)] },
        topic: uplinkTopic({ p: ingestPartition(clientId), uid: from, clientId, verb: "msg" }),
        packet: json({ id: mark, to: `user/${to}`, content: { type: "text", data: markedText } }),
      };
    },
  },
  slimchat: {
    dialect: "slimchat",
    acknowledged: { by: "packet", words: "its message with the server's time" },
    speech(index) {
      const [from, to] = [`slim-s${index}`, `slim-r${index}`];
      return {
        sender: { uid: from, clientId: `slim.${from}`, subscribes: [] },
        receiver: { uid: to, clientId: `slim.${to}`, subscribes: [] },
        topic: `$IM/user/${to}`,
        packet: json({ id: mark, to, type: "chat", content: { type: "text", data: markedText } }),
      };
    },
  },
  "mqtt-chat": {
    dialect: "mqtt-chat",
    acknowledged: { by: "puback", words: "the broker's PUBACK, as the protocol has no ack" },
    speech(index) {
      const [from, to] = [`mqttc-s${index}`, `mqttc-r${index}`];
      const side = (uid: string) => ({ uid, clientId: `mc.${uid}`, subscribes: [`${uid}/o/+`, `${uid}/s/+`] });
      return {
        sender: side(from),
        receiver: side(to),
        topic: `${to}/o/m`,
        packet: json({ m: markedText, i: mark, s: from, c: "TEXT", d: false }),
      };
    },
  },
  chat: {
    dialect: "chat",
    acknowledged: { by: "packet", words: "the Message as it is stored" },
    speech(index) {
      const [from, to] = [`3806${pad(index, 8)}_1`, `3807${pad(index, 8)}_1`];
      const side = (uid: string) => ({ uid, clientId: `emqttd_v1_${uid}`, subscribes: [] });
      return {
        sender: side(from),
        receiver: side(to),
        topic: "events/1//api/anon//",
        packet: chatMessage(from, to),
      };
    },
  },
  asschat: {
    dialect: "asschat",
    acknowledged: { by: "correlation", words: "the ack of its message" },
    speech(index) {
      const [from, to] = [`ass-s${index}`, `ass-r${index}`];
      const room = `ass-${index}`;
      return {
        sender: { uid: from, clientId: `${from}:bench`, subscribes: ["ass/ack"] },
        receiver: { uid: to, clientId: `${to}:bench`, subscribes: ["ass/msg/+"] },
        topic: `ass/msg/$${room}`,
        packet: Buffer.from(markedText),
        room,
      };
    },
  },
  chatroom: {
    dialect: undefined,
    isGuests: true,
    acknowledged: { by: "packet", words: "its message in the room" },
    speech(index) {
      const topic = `${guest}/pair${index}`;
      const side = (name: string) => ({ uid: guest, clientId: `room.${name}${index}`, subscribes: [topic] });
      return {
        sender: side("s"),
        receiver: side("r"),
        topic,
        packet: json({ type: "message", from: `nick${index}`, message: markedText }),
      };
    },
  },
} satisfies Record<string, Spoken>;

export type SpokenName = keyof typeof spoken;

function json(packet: object): Buffer {
  return Buffer.from(JSON.stringify(packet));
}

function pad(index: number, digits: number): string {
  return String(index).padStart(digits, "0");
}

/** A record Message of the older set, with one Desc. */
function chatMessage(from: string, to: string): Buffer {
  const atom = (name: string): Atom => ({ atom: name });
  const desc = { tuple: [atom("Desc"), mark, "text", markedText, 0, [], []] };
  const feed = { tuple: [atom("p2p"), from, to] };
  const head = [atom("Message"), [], atom("chain"), feed, [], [], mark, from, to];
  return encodeBert({ tuple: [...head, [], [desc], [], [], [], atom("client")] });
}
