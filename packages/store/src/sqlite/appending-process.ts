// A process of its own for crash tests: appends until it is killed, and confirms each entry on stdout once it is stored.

import { entry, partitionOf } from "../conformance/entries.ts";
import { openStore } from "../open-store.ts";

const [url = ""] = process.argv.slice(2);
const store = await openStore(url, { service: "history", lockWaitMs: 5_000 });
const log = store.log();
const convs = ["room/a", "room/b", "room/c", "room/d"];

async function appendForEver(conv: string): Promise<void> {
  let { pos } = await log.last(partitionOf(conv));
  for (;;) {
    const size = 1 + Math.floor(Math.random() * 20);
    const batch = Array.from({ length: size }, (_, at) => entry(conv, pos + at + 1, pos + at + 1));
    await log.append(partitionOf(conv), batch);
    pos += size;
    process.stdout.write(`${conv} ${pos}\n`);
  }
}

await Promise.all(convs.map(appendForEver));
