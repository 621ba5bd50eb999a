// A program of its own: node:http that copies a POST's body to a file and a file to a GET's answer, and does nothing else.
import { createReadStream, createWriteStream } from "node:fs";
import { rm, stat } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

const [folder = ""] = process.argv.slice(2);

/** `/plain/NAME`; `/synced/NAME` answers a POST when its bytes are on disk. */
async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [, kind, name = ""] = request.url?.split("/") ?? [];
  const path = join(folder, name);
  if (request.method === "POST") {
    await pipeline(request, createWriteStream(path, { flush: kind === "synced" }));
    response.writeHead(201).end();
  } else if (request.method === "DELETE") {
    await rm(path);
    response.writeHead(204).end();
  } else {
    response.writeHead(200, { "content-length": (await stat(path)).size });
    await pipeline(createReadStream(path), response);
  }
}

const server = createServer((request, response) => {
  answer(request, response).catch(() => response.destroy());
});
server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
process.on("disconnect", () => process.exit());
