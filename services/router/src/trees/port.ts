// What a dialect may have done in its device's name: the router's own steps and the methods of other services, each counted as a
// packet of the device where the device asked for it.
import { hash, randomUUID } from "node:crypto";
import {
  AppError,
  type Caller,
  type ExistsRequest,
  historyGet,
  isSessionEnd,
  type Method,
  type OpenRoomRequest,
  type ReceiptPacket,
  type RenewedToken,
  type StatePacket,
  type SubscriptionPacket,
  subjects,
  type Tree,
  type TypingPacket,
  type UplinkTopic,
  type UplinkVerb,
} from "@parley/protocol";
import type { Asked, Outgoing, Parley, Published, Stored } from "@parley/protocol/dialects";
import { callMethod, type NatsConnection, type ReceivedPacket, requestJson } from "@parley/runtime";
import type { TObject, TSchema } from "typebox";
import type { Admit } from "../admit/admit.ts";
import type { DecodeMessage, SentMessage } from "../admit/decode-message.ts";
import type { Acknowledge } from "../deliver/acknowledge.ts";
import { type Path, storeMessage, type Uplink } from "../path.ts";
import { isUnasked } from "./unasked.ts";

export interface PortParts extends Pick<Parley, "publicUrl" | "guests" | "isUserName"> {
  nats: NatsConnection;
  path: Path;
  admit: Admit;
  decodeMessage: DecodeMessage;
  receipt: Uplink<ReceiptPacket>;
  typing: Uplink<TypingPacket>;
  state: Uplink<StatePacket | SubscriptionPacket>;
}

export interface PortDevice extends Pick<Parley, "say" | "hears" | "wasTold" | "marks"> {
  tree: Tree;
  /**
   * What is left to do for a packet while its dialect goes on: it is confirmed when that is done too. False: nobody waits for it,
   * the packet is done already.
   */
  finish(packet: Published, done: Promise<void>): boolean;
}

const timeoutMs = 10_000;
/** A packet that came before is looked for among so many messages of its conversation. */
const lookBack = 50;

export function createPort(parts: PortParts): (device: PortDevice) => Parley {
  return ({ tree, say, hears, wasTold, marks, finish }) => {
    const fromOf = (verb: UplinkVerb, asked: Asked | undefined): UplinkTopic => ({
      p: tree.p,
      uid: accountOf(tree, asked),
      clientId: tree.clientId,
      verb,
    });
    const admitted = () => {
      const refused = isUnasked() ? undefined : parts.admit.packet(tree);
      if (refused) throw refused;
    };
    async function work<Packet>(uplink: Uplink<Packet>, packet: Packet, from: UplinkTopic): Promise<void> {
      admitted();
      const refused = await uplink.work(packet, from, nothingArrived);
      if (refused) throw refused;
    }
    return {
      publicUrl: parts.publicUrl,
      guests: parts.guests,
      isUserName: parts.isUserName,
      say,
      hears,
      marks,
      wasTold,
      // No await before the message is in line.
      async send(message, asked) {
        try {
          if (tree.owner === "anonymous") throw new AppError("forbidden", "log in first");
          return await send(parts, message, fromOf("msg", asked), { owner: tree.owner, finish, ...asked });
        } catch (thrown) {
          if (isSessionEnd(thrown)) throw thrown;
          return AppError.from(thrown);
        }
      },
      async call<P extends TObject, R extends TSchema>(method: Method<P, R>, params: never, asked?: Asked) {
        admitted();
        mayCall(tree, method);
        const { uid, clientId } = fromOf("rpc", asked);
        const caller: Caller = { uid, clientId, via: "mqtt" };
        return callMethod(parts.nats, method, caller, params, { timeoutMs });
      },
      async renewToken() {
        const { uid, clientId } = tree;
        const { token } = await requestJson<RenewedToken>(
          parts.nats,
          subjects.renewToken,
          { uid, clientId },
          { timeoutMs },
        );
        return token;
      },
      receipt: async (receipt, asked) => work(parts.receipt, receipt, fromOf("receipt", asked)),
      typing: async (typing, asked) => work(parts.typing, typing, fromOf("typing", asked)),
      state: async (state) => work(parts.state, state, fromOf("state", undefined)),
    };
  };
}

const nothingArrived: ReceivedPacket = {
  topic: "",
  payload: Buffer.alloc(0),
  qos: 1,
  dup: false,
  retain: false,
  properties: {},
};

function accountOf(tree: Tree, asked: Asked | undefined): string {
  const uid = asked?.as ?? tree.uid;
  if (uid !== tree.uid && !tree.accounts.includes(uid)) throw new AppError("forbidden", `${uid} is not of this login`);
  return uid;
}

async function send(
  parts: PortParts,
  message: Outgoing,
  from: UplinkTopic,
  { owner, finish, packet, opensRoom }: Pick<Tree, "owner"> & Pick<PortDevice, "finish"> & Asked,
): Promise<Stored | AppError> {
  const { path, admit, decodeMessage } = parts;
  const dup = packet?.dup === true;
  const refused = dup ? undefined : admit.packet(from);
  if (refused) return refused;
  const made = message.id === undefined ? madeId(from, packet) : undefined;
  const body = Buffer.from(
    JSON.stringify(made === undefined ? message : { ...message, id: `${made}${randomUUID().slice(0, 8)}` }),
  );
  const decoded = decodeMessage(body, from);
  if ("error" in decoded) return decoded.error;
  if (owner === "guest" && !decoded.packet.conv.startsWith("room/"))
    return new AppError("forbidden", "guests write in rooms only");
  if (dup && made !== undefined) {
    const before = await storedBefore(parts.nats, decoded.packet, from, made);
    if (before) return before;
  }
  const arrived = dup ? { ...nothingArrived, dup } : nothingArrived;
  const goOn = (done: Promise<void>) => packet !== undefined && finish(packet, done);
  const stored = await store(path, decoded.packet, from, arrived, goOn);
  if (!opensRoom || !(stored instanceof AppError) || stored.code !== "not_found") return stored;
  await openRoom(parts.nats, decoded.packet.conv);
  return store(path, decoded.packet, from, arrived, goOn);
}

// Messages that come meanwhile find that there is no room and wait behind this one: they stay in order.
const opening = new Map<string, Promise<object>>();

function openRoom(nats: NatsConnection, conv: string): Promise<object> {
  const underWay = opening.get(conv);
  if (underWay) return underWay;
  const asked: OpenRoomRequest = { id: conv.slice("room/".length) };
  const opened = requestJson<object>(nats, subjects.openRoom, asked, { timeoutMs }).finally(() => opening.delete(conv));
  opening.set(conv, opened);
  return opened;
}

/** Asks api. */
export function createIsUserName(nats: NatsConnection): Parley["isUserName"] {
  return async (uid) => {
    const asked: ExistsRequest = { uid, anyName: true };
    return (await requestJson<{ exists: boolean }>(nats, subjects.userExists, asked, { timeoutMs })).exists;
  };
}

/** As a native device is told while its message is delivered, so is the dialect, where the rest goes on. */
async function store(
  path: Path,
  message: SentMessage,
  from: UplinkTopic,
  arrived: ReceivedPacket,
  goOn: (done: Promise<void>) => boolean,
): Promise<Stored | AppError> {
  const stored = Promise.withResolvers<Stored | AppError>();
  // The dialect tells its device.
  const ack: Acknowledge["ack"] = async (_device, acked) => stored.resolve(acked);
  const done = storeMessage(path, message, from, arrived, ack).then((refused) => {
    if (refused) stored.resolve(refused);
  });
  // Where it fails before the message is stored nothing else says so.
  done.catch(stored.reject);
  if (!goOn(done)) await Promise.all([done, stored.promise]);
  return stored.promise;
}

/** The beginning of an id that says which packet it was made of. */
function madeId({ clientId }: UplinkTopic, packet: Published | undefined): string {
  if (packet === undefined) return "";
  const named = Buffer.concat([Buffer.from(`${clientId}\0${packet.topic}\0`), packet.payload]);
  return `${hash("sha256", named, "hex").slice(0, 24)}-`;
}

/** The message that the packet became when it came first, if it did. */
async function storedBefore(
  nats: NatsConnection,
  { conv }: SentMessage,
  { uid, clientId }: UplinkTopic,
  made: string,
): Promise<Stored | undefined> {
  const caller: Caller = { uid, clientId, via: "mqtt" };
  const page = await callMethod(nats, historyGet, caller, { conv, limit: lookBack }, { timeoutMs }).catch(
    AppError.from,
  );
  if (page instanceof AppError) {
    if (page.code === "not_found" || page.code === "not_member") return undefined;
    throw page;
  }
  const found = page.messages.findLast(
    ({ from, device, id }) => from === uid && device === clientId && id.startsWith(made),
  );
  return found && { id: found.id, conv: found.conv, seq: found.seq, ts: found.ts };
}

function mayCall({ owner }: Tree, { name, access }: Method): void {
  // History answers a guest of rooms alone that are topics of guests.
  if (owner === "guest" && name === historyGet.name) return;
  if (access === "public" || (access === "user" && owner === "user")) return;
  throw new AppError("forbidden", owner === "user" ? `${name} is not for users` : "log in first");
}
