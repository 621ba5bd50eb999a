// Names as people type them, and what they stand for.
import { convOf, parseAddress, parseConv } from "@parley/protocol";
import { UsageError } from "./failure.ts";

/** `bob`, `user/bob`, `#general` or `room/general` → the address a message is sent to. */
export function readAddress(text: string): string {
  const address = text.startsWith("#") ? `room/${text.slice(1)}` : text.includes("/") ? text : `user/${text}`;
  if (parseAddress(address)) return address;
  throw new UsageError(`${text}: a user (bob or user/bob) or a room (#general or room/general) is needed`);
}

/** The conversation of `uid` with what was typed; a conversation itself is taken too. */
export function readConv(uid: string, text: string): string {
  if (parseConv(text) && !text.startsWith("room/")) return text;
  const address = parseAddress(readAddress(text));
  if (!address) throw new UsageError(`${text} is no conversation`);
  return convOf(uid, address);
}

/** `#general`, `room/general` or `general` → the room's id. */
export function readRoomId(text: string): string {
  const id = text.replace(/^(#|room\/)/, "");
  const address = parseAddress(`room/${id}`);
  if (address?.kind === "room") return id;
  throw new UsageError(`${text}: a room (#general, room/general or general) is needed`);
}
