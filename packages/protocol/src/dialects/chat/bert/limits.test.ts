import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { deflateSync } from "node:zlib";
import { decodeTerm } from "./decode.ts";
import { encodeTerm } from "./encode.ts";
import { Atom, BertError, type Term } from "./term.ts";

const refused: Record<string, [hex: string, why: RegExp]> = {
  "nothing at all": ["", /first byte is not 131/],
  JSON: ["7b7d", /first byte is not 131/],
  "a version alone": ["83", /ends too early/],
  "a tag that no format has": ["83ff", /unknown tag 255/],
  "a process id": ["8367", /unknown tag 103/],
  "a tuple of four thousand million": ["8369ffffffff6a", /ends too early/],
  "a list of four thousand million": ["836cffffffff6a", /ends too early/],
  "a map of four thousand million": ["8374ffffffff6a", /ends too early/],
  "a binary longer than the packet": ["836dffffffff00", /ends too early/],
  "a string longer than the packet": ["836b00ff00", /ends too early/],
  "an atom longer than atoms may be": [`83640500${"61".repeat(1280)}`, /more than 255 characters/],
  "an atom that is no UTF-8": ["837702c328", /no UTF-8/],
  "an integer of 65 bytes": [`836e4100${"ff".repeat(65)}`, /more than 64 bytes/],
  "an integer of four thousand million bytes": ["836fffffffff00", /more than 64 bytes/],
  "an integer with a sign of its own": ["836e010201", /neither 0 nor 1/],
  "a float that is infinite": ["83467ff0000000000000", /no number/],
  "a float whose text is none": [`8363${"78".repeat(31)}`, /no number/],
  "a bit string without bits": ["834d0000000000", /no bits/],
  "33 levels": [`83${"6801".repeat(33)}6a`, /nested deeper than 32/],
  "20,000 terms": [`836c00004e20${"6a".repeat(20_001)}`, /more than 20000 terms/],
  "a compressed term that says it is large": ["8350ffffffff00", /more than 262144 bytes/],
  "a compressed term that is torn": ["835000000004789c", /torn/],
  "a compressed term that is shorter than it says": [packed("6a", 40), /not as long as it says/],
  "a compressed term that is longer than it says": [packed(`6d00000fa0${"00".repeat(4_000)}`, 5), /not as long/],
};

for (const [what, [hex, why]] of Object.entries(refused))
  test(`${what} is refused by name`, () => {
    assert.throws(
      () => decodeTerm(Buffer.from(hex, "hex")),
      (error) => error instanceof BertError && why.test(error.message),
    );
  });

test("every character of Latin-1 comes out of an atom as it went in", () => {
  const name = String.fromCharCode(...Array.from({ length: 255 }, (_, at) => at + 1));
  assert.deepEqual(decodeTerm(encodeTerm(new Atom(name))), new Atom(name));
});

test("bytes behind the term are passed over", () => {
  assert.deepEqual(decodeTerm(Buffer.from("83610700ff", "hex")), 7);
});

test("an atom beyond Latin-1, a float that is no number and a huge integer have no bytes", () => {
  for (const term of [new Atom("Привіт"), new Atom("a".repeat(256)), Number.NaN, 2n ** 2_048n])
    assert.throws(() => encodeTerm(term), BertError);
});

test("a hundred thousand mutated terms are read or refused by name, and what is read is written and read as the same", () => {
  const random = seeded(11);
  const seeds = ["erlang.tsv", "devices.tsv", "clients.tsv"].flatMap(hexes);
  const rounds = 100_000;
  let read = 0;
  let before = 0;
  for (let round = 0; round < rounds; round++) {
    if (round === rounds / 10) before = memory();
    const term = readOrRefused(mutated(seeds[random(seeds.length)] ?? Buffer.alloc(0), random));
    if (term === undefined) continue;
    read++;
    const again = writtenOrRefused(term);
    if (again) assert.ok(Buffer.from(encodeTerm(decodeTerm(again))).equals(again));
  }
  const grown = memory() - before;
  assert.ok(read > rounds / 10 && read < rounds, `${read} were read`);
  assert.ok(grown < 32 * 1024 * 1024, `memory grew by ${grown} bytes`);
});

function readOrRefused(bytes: Uint8Array): Term | undefined {
  try {
    return decodeTerm(bytes);
  } catch (error) {
    assert.ok(error instanceof BertError, String(error));
    assert.ok(error.message.length < 100);
    return undefined;
  }
}

function writtenOrRefused(term: Term): Uint8Array | undefined {
  try {
    return encodeTerm(term);
  } catch (error) {
    assert.ok(error instanceof BertError && /atom/.test(error.message), String(error));
    return undefined;
  }
}

function memory(): number {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function packed(hex: string, size: number): string {
  const head = Buffer.from([131, 80, 0, 0, 0, 0]);
  head.writeUInt32BE(size, 2);
  return Buffer.concat([head, deflateSync(Buffer.from(hex, "hex"))]).toString("hex");
}

function hexes(file: string): Buffer[] {
  const text = readFileSync(new URL(`../../../../fixtures/chat/${file}`, import.meta.url), "utf8");
  return [...text.matchAll(/\t(83[0-9a-f]+)/g)].map(([, hex = ""]) => Buffer.from(hex, "hex"));
}

/** One to four of: a byte is another, a bit flips, a piece is cut, doubled or taken to another place. */
function mutated(seed: Uint8Array, random: (below: number) => number): Uint8Array {
  let bytes = Buffer.from(seed);
  for (let left = 1 + random(4); left > 0 && bytes.byteLength > 1; left--) {
    const at = random(bytes.byteLength);
    const to = at + random(Math.min(64, bytes.byteLength - at));
    const kind = random(5);
    if (kind === 0) bytes[at] = random(256);
    else if (kind === 1) bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8));
    else if (kind === 2) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(to)]);
    else if (kind === 3) bytes = Buffer.concat([bytes.subarray(0, to), bytes.subarray(at)]);
    else bytes.copyWithin(random(bytes.byteLength), at, to);
  }
  return bytes;
}

/** Whole numbers below a bound, the same ones each time [xorshift32]. */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

test("a written term stays as it is while others are written, large ones and such as cannot be", () => {
  const first = encodeTerm([new Atom("first"), 1]);
  const before = [...first];
  const large = encodeTerm(new Uint8Array(100_000).fill(7));
  assert.throws(() => encodeTerm([1, new Atom("x".repeat(256))]), BertError);
  assert.throws(() => encodeTerm([1, new Atom("Ж")]), BertError);
  const second = encodeTerm([2, new Atom("x".repeat(255))]);
  assert.deepEqual([...first], before);
  assert.deepEqual(decodeTerm(large), new Uint8Array(100_000).fill(7));
  assert.deepEqual(decodeTerm(second), [2, new Atom("x".repeat(255))]);
});

test("an integer is written the same whether a number or a bigint holds it", () => {
  for (const power of [8, 31, 32, 40, 48, 53])
    for (const value of [2 ** power - 1, -(2 ** power) + 1, 2 ** (power - 1), -(2 ** (power - 1))]) {
      assert.deepEqual(encodeTerm(value), encodeTerm(BigInt(value)), `${value}`);
      assert.equal(decodeTerm(encodeTerm(value)), value);
    }
});
