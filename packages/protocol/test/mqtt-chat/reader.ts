// How the programs of mqtt-chat read what they hear, as fixtures/mqtt-chat/read.json has it of them.
type Fields = Record<string, unknown>;

const kinds: readonly unknown[] = [
  "TEXT",
  "IMAGE",
  "MAP",
  "CONTACT",
  "QAR",
  "NOTIFICATION",
  "CALL",
  "FILE",
  "VIDEO",
  "QA",
];
const states: readonly unknown[] = ["ACTIVE", "COMPOSING", "PAUSED", "INACTVE"];

const isMessage = (payload: string) => {
  const packet = parse(payload);
  return has(packet, "m", "i", "s") && kinds.includes(packet.c);
};

/** By what stands behind the id: is the packet read? Throws where the program does. */
const readers: Readonly<Record<string, (payload: string) => boolean>> = {
  "o/m": isMessage,
  "g/m": isMessage,
  "s/l": (payload) => payload === "L" || payload === "F",
  "s/p": () => true,
  "o/d": (payload) => payload !== "",
  "o/i": (payload) => has(parse(payload), "groupId"),
  "g/e": (payload) => Array.isArray(parse(payload).m),
  "g/p": (payload) => has(parse(payload), "name", "message", "senderId"),
  "o/l": (payload) => has(parse(payload), "i", "m", "s") && parse(payload).c === "CALL",
  "o/c"(payload) {
    const packet = parse(payload);
    return has(packet, "i") && states.includes(packet.c);
  },
};

/** False: the program passes over it. */
export function isRead(topic: string, payload: string): boolean {
  const suffix = topic.slice(topic.indexOf("/") + 1);
  return Object.hasOwn(readers, suffix) && readers[suffix]?.(payload) === true;
}

const has = (packet: Fields, ...names: string[]) => names.every((name) => packet[name] !== undefined);

function parse(payload: string): Fields {
  const value: unknown = JSON.parse(payload);
  if (typeof value !== "object" || value === null) throw new SyntaxError("no object");
  return value as Fields;
}
