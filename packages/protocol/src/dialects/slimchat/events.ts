// What Parley tells besides messages and presence, as messages of the draft's type `event`: receipts, refusals, changes.
import type { JsonObject } from "../../codec.ts";
import type { AppError } from "../../errors.ts";
import { readJsonHead } from "../../json-head.ts";
import type { Downlink } from "../dialect.ts";

const server = "parley";

/** A notice to a user: its own `type` is `content.data.event`. `at`: unix ms. */
export function writeEvent({ type, ...fields }: Downlink, uid: string, at: number): JsonObject {
  const { conv, uid: who, delivered, read, id } = fields;
  const marks = type === "receipt" ? [delivered, read] : [id ?? "", at];
  return {
    id: [type, conv ?? uid, who ?? server, ...marks].join(":").slice(0, 256),
    from: type === "receipt" ? who : server,
    to: uid,
    type: "event",
    thread: conv ?? `user/${uid}`,
    content: { type: "event", data: { event: type, ...fields } },
    ts: at,
  };
}

/** Why a device's packet was refused. `id`: the packet's, as far as it could be read. */
export function writeRefusal(id: string, error: AppError, uid: string, at: number): JsonObject {
  const thread = `user/${uid}`;
  const content = { type: "event", data: { event: "nack", id, ...error.toWire() } };
  return { id, from: server, to: uid, type: "event", thread, content, ts: at };
}

/** The id of a packet, whether or not it is JSON to its end; empty: none is there. */
export function idOf(payload: Uint8Array): string {
  const id = `${readJsonHead(payload).get("id") ?? ""}`;
  return id.isWellFormed() ? id.slice(0, 64).replace(/[\ud800-\udbff]$/, "") : "";
}
