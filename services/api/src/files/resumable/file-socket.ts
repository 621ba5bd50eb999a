// Files over a WebSocket of another protocol's own: each packet carries the token, a file comes in blocks as an upload in parts does.
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { AppError, attachmentUrl } from "@parley/protocol";
import { dialects, type FilePacket, type FileSocket } from "@parley/protocol/dialects";
import { type WebSocket, WebSocketServer } from "ws";
import { identify } from "../../http/identity.ts";
import { errorOf } from "../../store.ts";
import { tooLarge } from "../checked-bytes.ts";
import type { FileRouteParts } from "../in-turn.ts";
import { createFinishing, type Finishing, isWhole } from "./finish.ts";
import { takePart } from "./take.ts";
import { createUpload, offsetOf, type Upload } from "./uploads.ts";

/** What a client is to send at once; a packet has a little more. */
const blockBytes = 250 * 1024;
const packetBytes = 512 * 1024;
/** One that says nothing for so long is closed. */
const silentMs = 60_000;
/** Packets that wait behind the one in hand. */
const waitingMax = 4;
const uploadsOfUser = 200;

export function openFileSockets(parts: FileRouteParts) {
  const server = new WebSocketServer({ noServer: true, maxPayload: packetBytes, perMessageDeflate: false });
  const finishing = createFinishing(parts);
  return {
    /** False: the upgrade is not for one of them. */
    upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
      const path = request.url?.split("?")[0];
      const files = dialects.find((dialect) => dialect.files?.path === path)?.files;
      if (!files) return false;
      server.handleUpgrade(request, socket, head, (ws) => {
        serve({ ...parts, finishing, files, address: parts.addressOf(request) }, ws);
      });
      return true;
    },
    close(): void {
      for (const ws of server.clients) ws.terminate();
      server.close();
    },
  };
}

interface Serving extends FileRouteParts {
  finishing: Finishing;
  files: FileSocket;
  address: string;
}

/** One packet after the other. */
function serve(parts: Serving, ws: WebSocket): void {
  let last: Promise<void> = Promise.resolve();
  let waiting = 0;
  let silent = setTimeout(() => ws.terminate(), silentMs);
  ws.on("error", () => ws.terminate());
  ws.on("close", () => clearTimeout(silent));
  ws.on("message", (bytes: Buffer) => {
    clearTimeout(silent);
    silent = setTimeout(() => ws.terminate(), silentMs);
    if (++waiting > waitingMax) return ws.terminate();
    last = last
      .then(() => answer(parts, bytes))
      .then((said) => {
        if (said) ws.send(said);
      })
      .catch((thrown: unknown) => {
        parts.log.error({ event: "file_socket_failed", err: thrown });
        ws.terminate();
      })
      .finally(() => {
        waiting -= 1;
      });
  });
}

/** Undefined: it is no packet. A refusal ends the transfer. */
async function answer(parts: Serving, bytes: Uint8Array): Promise<Uint8Array | undefined> {
  const { files, log } = parts;
  const packet = files.read(bytes);
  if (!packet) return undefined;
  try {
    return files.write(packet, await work(parts, packet));
  } catch (thrown) {
    const { code } = errorOf(thrown);
    if (code === "internal") log.error({ event: "file_socket_failed", err: thrown });
    return files.write(packet, { refused: code });
  }
}

async function work(parts: Serving, packet: FilePacket): Promise<Parameters<FileSocket["write"]>[1]> {
  const { store, limits, rates, identity, address } = parts;
  const called = { name: "attachments.uploads.append", access: "user" } as const;
  const caller = await identify(identity, called, `Bearer ${packet.token}`);
  const refused = caller instanceof AppError ? (rates.refuseStranger(address) ?? caller) : rates.refuseCaller(caller);
  if (refused) throw refused;
  const { uid } = caller as Exclude<typeof caller, AppError>;
  const upload = (await findUpload(parts, uid, packet)) ?? (await begin(parts, uid, packet));
  if (packet.data === undefined || isWhole(upload.doc)) return reached(parts, upload);
  if (packet.offset !== offsetOf(upload.doc)) return reached(parts, upload);
  const release = limits.uploads.take(uid);
  if (!release) throw new AppError("rate_limited", "too many at once; wait until one has ended");
  try {
    const { data } = packet;
    const taken = await takePart({ ...parts, store }, upload, { bytes: once(data), checksum: undefined });
    return await reached(parts, taken);
  } finally {
    release();
  }
}

async function* once(data: Uint8Array) {
  yield data;
}

/** Where to go on, or the attachment that it has become. */
async function reached({ finishing }: Serving, upload: Upload) {
  if (!isWhole(upload.doc)) return { offset: offsetOf(upload.doc), blockBytes };
  const { id } = await finishing.finish(upload);
  return { offset: upload.doc.size, url: attachmentUrl(id) };
}

/** The one that the client calls so, begun before. */
async function findUpload({ store }: Serving, uid: string, { id }: FilePacket): Promise<Upload | undefined> {
  const { items } = await store.uploads.find({ index: "uid", equals: [uid], limit: uploadsOfUser });
  return items.find(({ doc }) => doc.metadata === metadataOf(id) && doc.expiresAt > Date.now());
}

function metadataOf(id: string): string {
  return `file-socket ${id}`;
}

async function begin({ store, limits }: Serving, uid: string, { id, name, size }: FilePacket): Promise<Upload> {
  if (size > limits.bytesMax) throw tooLarge("any", limits.bytesMax);
  const refused = limits.wouldTake(uid, size);
  if (refused) throw refused;
  return createUpload(store, { uid, size, name, metadata: metadataOf(id) });
}
