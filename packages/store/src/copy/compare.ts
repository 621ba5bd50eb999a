// Compares the two ends of a copy: counts and digests of all they hold, both read again.
import { createHash } from "node:crypto";
import type { Collection } from "../documents.ts";
import type { LogEntry, MessageLog } from "../log.ts";
import { definitionsOf, eachPartition, type Tell } from "./copy-pair.ts";
import type { Pair } from "./ends.ts";
import { documentPages, entryPages } from "./pages.ts";

export type Digest = { count: number; digest: string };

/** A partition, a collection or a service's files that are not the same on both sides. */
export type Difference = { service: string; of: string; from: Digest; to: Digest };

/** `tell` hears of what was read of FROM. */
export async function comparePair({ service, from, to }: Pair, partitions: number, tell: Tell): Promise<Difference[]> {
  const differences: Difference[] = [];
  const compare = async (of: string, fromDigest: Promise<Digest>, toDigest: Promise<Digest>) => {
    const [left, right] = await Promise.all([fromDigest, toDigest]);
    if (left.count !== right.count || left.digest !== right.digest) {
      differences.push({ service, of, from: left, to: right });
    }
  };
  await eachPartition(partitions, (q) =>
    compare(
      `partition ${q}`,
      digestPartition(from.log(), q, tell),
      digestPartition(to.log(), q, () => {}),
    ),
  );
  for (const definition of await definitionsOf(from.documents())) {
    const source = await from.documents().collection(definition);
    const target = await to.documents().collection(definition);
    await compare(
      `collection ${definition.name}`,
      digestCollection(source, tell),
      digestCollection(target, () => {}),
    );
  }
  return differences;
}

async function digestPartition(log: MessageLog, q: number, tell: Tell): Promise<Digest> {
  const hash = createHash("sha256");
  let count = 0;
  for await (const page of entryPages(log, q, 0)) {
    for (const entry of page) hash.update(fieldsOf(entry)).update(entry.body);
    count += page.length;
    tell(page.length, 0);
  }
  return { count, digest: hash.digest("hex") };
}

async function digestCollection(collection: Collection<object>, tell: Tell): Promise<Digest> {
  async function* described(): AsyncGenerator<string> {
    for await (const page of documentPages(collection)) {
      for (const { key, doc } of page) yield `${key}\0${JSON.stringify(doc)}`;
      tell(0, page.length);
    }
  }
  return digestOfAll(described());
}

/** Bit by bit added up, so that it says the same whatever order an engine keeps keys in. */
export async function digestOfAll(texts: AsyncIterable<string>): Promise<Digest> {
  const sum = Buffer.alloc(32);
  let count = 0;
  for await (const text of texts) {
    for (const [at, byte] of createHash("sha256").update(text).digest().entries()) sum[at]! ^= byte;
    count += 1;
  }
  return { count, digest: sum.toString("hex") };
}

function fieldsOf({ q, pos, conv, seq, ord, from, device, id, type, ts, origin, event, memberSeq, body }: LogEntry) {
  return JSON.stringify([q, pos, conv, seq, ord, from, device, id, type, ts, origin, event, memberSeq, body.length]);
}
