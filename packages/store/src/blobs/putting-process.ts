// A process of its own for crash tests: puts an endless stream until it is killed, and says when enough of it has gone.
import { randomBytes } from "node:crypto";
import { openBlobs } from "../open-blobs.ts";

const [url = "", announceAt = "0"] = process.argv.slice(2);
const blobs = await openBlobs({ service: "api", url, storeUrl: "sqlite:unused" });

async function* endless(): AsyncGenerator<Uint8Array> {
  for (let sent = 0; ; sent += 65_536) {
    if (sent === Number(announceAt)) process.stdout.write("sent\n");
    yield randomBytes(65_536);
  }
}

await blobs.put(endless());
