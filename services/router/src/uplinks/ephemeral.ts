// Typing and device state: QoS 0 or confirmed on arrival, never stored, never sent again.
import {
  AppError,
  checkState,
  checkTyping,
  type DeviceState,
  decodeObject,
  ephemeralTopic,
  limits,
  namedMembers,
  parseConv,
  subjects,
  type TypingNotice,
} from "@parley/protocol";
import type { NatsConnection } from "@parley/runtime";
import type { Admit } from "../admit/admit.ts";
import { misplaced } from "../admit/decode.ts";
import type { UnderWay } from "../admit/under-way.ts";
import type { Acknowledge } from "../deliver/acknowledge.ts";
import type { Members } from "../deliver/members.ts";
import type { Take } from "../ingest/partition.ts";

export interface EphemeralParts {
  nats: NatsConnection;
  members: Members;
  admit: Admit;
  acknowledge: Acknowledge;
  underWay: UnderWay;
  publish(topic: string, payload: Uint8Array): void;
}

/** Typing: to the others of the conversation, in rooms of up to 200. */
export function createTakeTyping({ members, admit, acknowledge, underWay, publish }: EphemeralParts): Take {
  async function others(conv: string, uid: string): Promise<string[] | AppError> {
    const parsed = parseConv(conv);
    if (!parsed) return new AppError("invalid_packet", "conv is not the name of a conversation");
    const named = namedMembers(parsed);
    const current = named ?? [...(await members.recent(conv)).current];
    if (!current.includes(uid)) return new AppError("not_member");
    return current.length > limits.smallRoomMembers ? [] : current.filter((other) => other !== uid);
  }

  return async (packet, topic, confirm) => {
    confirm();
    const parsed = decodeObject(packet.payload);
    const typing = parsed instanceof AppError ? parsed : checkTyping(parsed);
    const refused = typing instanceof AppError ? typing : (misplaced(topic) ?? admit(topic));
    if (typing instanceof AppError || refused) return acknowledge.nack(topic, null, refused as AppError);
    const end = underWay.begin(packet.payload.length);
    // Lost as any typing may be.
    if (!end) return;
    const told = await others(typing.conv, topic.uid).catch(AppError.from).finally(end);
    if (told instanceof AppError) return acknowledge.nack(topic, null, told);
    const notice: TypingNotice = { type: "typing", conv: typing.conv, uid: topic.uid, state: typing.state };
    const payload = Buffer.from(JSON.stringify(notice));
    for (const uid of told) publish(ephemeralTopic(uid), payload);
  };
}

/** What a device says of itself goes to presence. */
export function createTakeState({ nats, admit, acknowledge }: EphemeralParts): Take {
  return async (packet, topic, confirm) => {
    confirm();
    const parsed = decodeObject(packet.payload);
    const state = parsed instanceof AppError ? parsed : checkState(parsed);
    const refused = state instanceof AppError ? state : (misplaced(topic) ?? admit(topic));
    if (state instanceof AppError || refused) return acknowledge.nack(topic, null, refused as AppError);
    const { uid, clientId } = topic;
    const told: DeviceState = { ...state, uid, clientId };
    nats.publish(subjects.deviceState, JSON.stringify(told));
  };
}
