// clamd's INSTREAM: lengths and bytes, then one line that says what was found. Source: clamd(8).
import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** Nobody answers there. */
export class ClamdAway extends Error {}

/** `name`: what was found. */
export type Verdict = { state: "clean" } | { state: "infected"; name: string };

const connectMs = 5_000;
const silenceMs = 120_000;
const replyMax = 4_096;

/** `url`: `tcp://host:port` or `unix:/path`. Throws ClamdAway, what the bytes throw, and an Error with clamd's own words. */
export async function scanBytes(url: string, bytes: AsyncIterable<Uint8Array>, closing: AbortSignal): Promise<Verdict> {
  closing.throwIfAborted();
  const socket = await open(url);
  const stop = () => socket.destroy(new Error("closing"));
  closing.addEventListener("abort", stop);
  socket.setTimeout(silenceMs, () => socket.destroy(new Error("clamd says nothing")));
  let reply = "";
  const answered = new Promise<string>((resolve, reject) => {
    socket.on("data", (chunk) => {
      reply = (reply + chunk.toString()).slice(0, replyMax);
    });
    socket.once("error", (error) => (reply === "" ? reject(error) : resolve(reply)));
    socket.once("close", () => resolve(reply));
  });
  const write = async (chunk: Uint8Array) => {
    if (!socket.write(chunk)) await Promise.race([once(socket, "drain"), answered]);
  };
  try {
    const sent = (async () => {
      await write(Buffer.from("zINSTREAM\0"));
      for await (const chunk of bytes) {
        // It has heard enough.
        if (reply !== "" || socket.destroyed) return;
        if (chunk.byteLength === 0) continue;
        await write(lengthOf(chunk));
        await write(chunk);
      }
      await write(lengthOf(new Uint8Array()));
    })();
    const [text] = await Promise.all([answered, sent]);
    return readReply(text);
  } finally {
    closing.removeEventListener("abort", stop);
    socket.destroy();
  }
}

async function open(url: string): Promise<Socket> {
  const [, path] = /^unix:(.+)$/.exec(url) ?? [];
  const { hostname, port } = path === undefined ? new URL(url) : { hostname: "", port: "" };
  const socket = path === undefined ? connect(Number(port), hostname) : connect(path);
  try {
    await once(socket, "connect", { signal: AbortSignal.timeout(connectMs) });
    return socket;
  } catch (cause) {
    socket.on("error", () => undefined).destroy();
    throw new ClamdAway("clamd does not answer", { cause });
  }
}

function lengthOf({ byteLength }: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(byteLength);
  return length;
}

function readReply(text: string): Verdict {
  const said = text.replace(/\0.*$/s, "").trim();
  if (said === "stream: OK") return { state: "clean" };
  const [, name] = /^stream: (.+) FOUND$/.exec(said) ?? [];
  if (name === undefined) throw new Error(`clamd: ${said === "" ? "no answer" : said}`);
  return { state: "infected", name };
}
