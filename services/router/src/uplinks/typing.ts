// Typing: QoS 0, never stored; to the others of the conversation as it is now, in rooms of up to 200.
import {
  AppError,
  checkTyping,
  limits,
  namedMembers,
  parseConv,
  type TypingNotice,
  type TypingPacket,
} from "@parley/protocol";
import { decodePacket } from "../admit/decode.ts";
import type { Acknowledge } from "../deliver/acknowledge.ts";
import type { Members } from "../deliver/members.ts";
import type { IsRefused } from "../deliver/refusals.ts";
import type { Send } from "../deliver/send.ts";
import type { Uplink } from "../path.ts";

export interface TypingParts {
  members: Members;
  isRefused: IsRefused;
  acknowledge: Acknowledge;
  send: Send["moment"];
}

export function typingUplink({ members, isRefused, acknowledge, send }: TypingParts): Uplink<TypingPacket> {
  return {
    isStored: false,
    decode: ({ payload }) => decodePacket(payload, checkTyping),
    refuse: acknowledge.nack,
    async work({ conv, state }, { uid }) {
      const others = await othersIn(members, conv, uid);
      if (others instanceof AppError) return others;
      if (!conv.startsWith("room/") && (await isRefused(conv))) return undefined;
      const notice: TypingNotice = { type: "typing", conv, uid, state };
      await send(Buffer.from(JSON.stringify(notice)), { users: others, devices: [] });
      return undefined;
    },
  };
}

async function othersIn(members: Members, conv: string, uid: string): Promise<string[] | AppError> {
  const parsed = parseConv(conv);
  if (!parsed) return new AppError("invalid_packet", "conv is not the name of a conversation");
  const present = namedMembers(parsed) ?? (await members.recent(conv)).present.users;
  if (!present.includes(uid)) return new AppError("not_member");
  return present.length > limits.smallRoomMembers ? [] : present.filter((other) => other !== uid);
}
