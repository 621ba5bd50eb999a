// SlimChat, by its draft: JSON on $IM/user/… and $IM/room/…; the copy with `ts` on one's own client topic is the ack.
import { p2pConv, roomConv } from "@parley/protocol";
import { type Heard, type Program, readJson } from "./program.ts";

export const slimchat: Program = {
  name: "slimchat",
  login: (uid, device) => ({
    appid: "livehub.io",
    deviceid: device,
    clientid: `slim-${uid}-${device}`,
    type: "android",
  }),
  filters: () => [],
  echoes: "never",
  write({ id, from, to, text }) {
    const [oid, name, type] =
      "room" in to ? [`room/${to.room}`, to.room, "grpchat"] : [`user/${to.user}`, to.user, "chat"];
    const packet = { id, from: `uid:${from}`, to: name, type, content: { type: "text", data: text } };
    return { topic: `$IM/${oid}`, payload: JSON.stringify(packet) };
  },
  read(uid, topic, payload) {
    const packet = readJson(payload);
    if (!packet) return [];
    const { id, seq, content } = packet as { id: string; seq?: number; content?: Record<string, unknown> };
    const isOwnTopic = topic.startsWith(`$IM/user/${uid}/client/`);
    if (isOwnTopic && packet.type !== "event") return [{ kind: "ack", id, ...(seq === undefined ? {} : { seq }) }];
    const { event, code, message } = (content?.data ?? {}) as Record<string, unknown>;
    if (isOwnTopic && event === "nack") return [{ kind: "refusal", id, words: `${code}: ${message}` }];
    return typeof seq === "number" ? [heard(uid, topic, packet)] : [];
  },
};

function heard(uid: string, topic: string, packet: Record<string, unknown>): Heard {
  const { id, from, to, seq, content } = packet as Record<string, string> & { seq: number; content: Content };
  const [, kind, name = ""] = topic.split("/");
  const other = from === uid ? to : from;
  return {
    kind: "message",
    conv: kind === "room" ? roomConv(name) : p2pConv(uid, other ?? ""),
    from: from ?? "",
    id: id ?? "",
    seq,
    ...(content.type === "text" ? { text: String(content.data) } : {}),
  };
}

interface Content {
  type: string;
  data?: unknown;
}
