// Typing: QoS 0, never stored; to the others of the conversation as it is now, in rooms of up to 200.
import {
  AppError,
  checkTyping,
  limits,
  namedMembers,
  parseConv,
  type Recipients,
  type TypingNotice,
  type TypingPacket,
  type UplinkTopic,
} from "@parley/protocol";
import type { Members } from "@parley/runtime";
import { decodePacket } from "../admit/decode.ts";
import type { Acknowledge } from "../deliver/acknowledge.ts";
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
    async work({ conv, state }, from) {
      const { uid } = from;
      const others = await othersIn(members, conv, from);
      if (others instanceof AppError) return others;
      if (!conv.startsWith("room/") && (await isRefused(conv))) return undefined;
      const notice: TypingNotice = { type: "typing", conv, uid, state };
      await send(Buffer.from(JSON.stringify(notice)), others);
      return undefined;
    },
  };
}

async function othersIn(
  members: Members,
  conv: string,
  { uid, clientId }: Pick<UplinkTopic, "uid" | "clientId">,
): Promise<Recipients | AppError> {
  const parsed = parseConv(conv);
  if (!parsed) return new AppError("invalid_packet", "conv is not the name of a conversation");
  const named = namedMembers(parsed);
  const { users, devices } = named ? { users: named, devices: [] } : (await members.recent(conv)).present;
  const isIn = users.includes(uid) || devices.some((one) => one.uid === uid && one.clientId === clientId);
  if (!isIn) return new AppError("not_member");
  if (users.length + devices.length > limits.smallRoomMembers) return { users: [], devices: [] };
  const isOther = (one: { uid: string }) => one.uid !== uid;
  return { users: users.filter((other) => other !== uid), devices: devices.filter(isOther) };
}
