// mqtt-chat, by what its programs send: {"m","i","s","c","d"} on {uid}/o/m and {gid}/g/m. That a message is taken says its PUBACK alone.
import { p2pConv, roomConv } from "@parley/protocol";
import { type Program, readJson } from "./program.ts";

/** Texts from the server itself have its name. */
const server = "parley";

export const mqttChat: Program = {
  name: "mqtt-chat",
  login: (uid, device) => ({ dialect: "mqtt-chat", clientid: `${uid}/${device}` }),
  filters: (uid, rooms) => [`${uid}/o/+`, ...rooms.map((room) => `${room}/g/m`)],
  echoes: "rooms",
  write({ id, from, to, text }) {
    const topic = "room" in to ? `${to.room}/g/m` : `${to.user}/o/m`;
    return { topic, payload: JSON.stringify({ m: text, i: id, s: from, c: "TEXT", d: false }) };
  },
  read(uid, topic, payload) {
    const packet = readJson(payload) as Record<string, string> | undefined;
    const [, name = "", kind] = /^([^/]+)\/([og])\/m$/.exec(topic) ?? [];
    if (!packet || kind === undefined) return [];
    const { m = "", i = "", s = "", c, r } = packet;
    if (s === server && kind === "o") {
      const [, id] = /^not sent \(([^)]*)\)/.exec(m) ?? [];
      return [{ kind: "refusal", words: m, ...(id === undefined ? {} : { id }) }];
    }
    const conv = kind === "g" ? roomConv(name) : p2pConv(s, r ?? (s === uid ? name : uid));
    return [{ kind: "message", conv, from: s, id: i, ...(c === "TEXT" ? { text: m } : {}) }];
  },
};
