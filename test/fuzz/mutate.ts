// Packets that are nearly right: bytes, fields and topics changed at random, the same ones for the same seed.

export type Random = () => number;

/** 0 ≤ x < 1; mulberry32. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function oneOf<T>(random: Random, choices: readonly T[]): T {
  return choices[Math.floor(random() * choices.length)] as T;
}

const odd: readonly unknown[] = [
  ...[
    null,
    true,
    false,
    0,
    -1,
    1.5,
    1e308,
    2 ** 53,
    -(2 ** 53),
    "",
    " ",
    "\u0000",
    "\ud83d",
    "💬",
    "__proto__",
    "constructor",
  ],
  ...[[], {}, [[[[]]]], { type: "text" }, { type: null }, { event: "receipt" }, "x".repeat(500), ["a", 1, null]],
  ...["user/bob", "uid:bob", "room/tea", "p2p/a/b", "chat", "grpchat", "event", "online", "subscribe", "text", "edit"],
];

const oddLevels = [
  "",
  "+",
  "#",
  "$IM",
  "IM",
  "user",
  "room",
  "node",
  "client",
  "domain",
  "..",
  "%2F",
  "\u0000",
  "💬",
  "x".repeat(300),
];

/** One to three of its fields, at any depth, replaced, removed or renamed. */
export function mutateObject(object: object, random: Random): object {
  const copy = copyOf(object);
  for (let left = 1 + Math.floor(random() * 3); left > 0; left--) {
    const holders = [copy, ...objectsIn(copy)] as Record<string, unknown>[];
    const holder = oneOf(random, holders);
    const name = oneOf(random, [...Object.keys(holder), Array.isArray(holder) ? "0" : "mine"]);
    const value = copyOf(oneOf(random, odd));
    const kind = random();
    if (kind < 0.2) delete holder[name];
    else if (kind < 0.4 && !Array.isArray(holder)) holder[`${oneOf(random, odd)}`.slice(0, 40)] = value;
    else Object.defineProperty(holder, name, { value, enumerable: true, configurable: true, writable: true });
  }
  return copy;
}

// Of what JSON can say; five times as quick as structuredClone.
function copyOf<T>(value: T): T {
  return typeof value === "object" && value !== null ? (JSON.parse(JSON.stringify(value)) as T) : value;
}

function objectsIn(value: object): object[] {
  const inner = Object.values(value).filter((one): one is object => typeof one === "object" && one !== null);
  return inner.flatMap((one) => [one, ...objectsIn(one)]);
}

/** Bytes flipped, cut out, doubled or put in. */
export function mutateBytes(bytes: Uint8Array, random: Random): Uint8Array {
  let copy = Uint8Array.from(bytes);
  for (let left = 1 + Math.floor(random() * 4); left > 0 && copy.length > 0; left--) {
    const from = Math.floor(random() * copy.length);
    const to = Math.min(copy.length, from + 1 + Math.floor(random() * 8));
    const kind = Math.floor(random() * 4);
    if (kind === 0) copy[from] = Math.floor(random() * 256);
    else if (kind === 1) copy = concat(copy.subarray(0, from), copy.subarray(to));
    else if (kind === 2) copy = concat(copy.subarray(0, to), copy.subarray(from));
    else copy = copy.slice(0, from);
  }
  return copy;
}

/** A level replaced, removed or added. */
export function mutateTopic(topic: string, random: Random): string {
  const levels = topic.split("/");
  const at = Math.floor(random() * (levels.length + 1));
  levels.splice(at, Math.floor(random() * 2), ...(random() < 0.7 ? [oneOf(random, oddLevels)] : []));
  return levels.join("/");
}

function concat(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.concat(parts));
}
