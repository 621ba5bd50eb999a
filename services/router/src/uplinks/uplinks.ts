// The verbs a device may publish, one row each, and what all partitions of a router share for them.
import type { UplinkVerb } from "@parley/protocol";
import { AppError } from "@parley/protocol";
import type { GuestTopics } from "@parley/protocol/dialects";
import type { AskHolder, BrokerSession, Logger, Members, NatsConnection, Pass, Redis } from "@parley/runtime";
import { type Admit, createAdmit } from "../admit/admit.ts";
import { createDecodeMessage } from "../admit/decode-message.ts";
import { tooMuch, type UnderWay } from "../admit/under-way.ts";
import type { Append } from "../append/append.ts";
import type { RouterConfig } from "../config.ts";
import { createAcknowledge } from "../deliver/acknowledge.ts";
import type { Deliver } from "../deliver/deliver.ts";
import type { ReadStored } from "../deliver/read-stored.ts";
import type { IsRefused } from "../deliver/refusals.ts";
import { createSend } from "../deliver/send.ts";
import type { UnheardTopics } from "../deliver/unheard.ts";
import type { Direct } from "../direct/direct.ts";
import { type CrashGuard, createCrashGuard } from "../ingest/crash-guard.ts";
import type { DeadLetter } from "../ingest/dead-letter.ts";
import type { Take, Takes } from "../ingest/partition.ts";
import { takePacket, type Uplink } from "../path.ts";
import { createIsUserName, createPort } from "../trees/port.ts";
import type { Trees } from "../trees/trees.ts";
import { messageUplink } from "./message.ts";
import { receiptUplink } from "./receipt.ts";
import { requestUplink } from "./request.ts";
import { createStamp, stateUplink } from "./state.ts";
import { typingUplink } from "./typing.ts";

export interface UplinkParts {
  config: RouterConfig;
  guests: readonly GuestTopics[];
  trees: Trees;
  unheard: UnheardTopics;
  direct: Direct;
  nats: NatsConnection;
  redis: Redis;
  instance: string;
  append: Append;
  askHolder: AskHolder;
  members: Members;
  isRefused: IsRefused;
  deliver: Deliver;
  readStored: ReadStored;
  underWay: UnderWay;
  deadLetter: DeadLetter;
  pass: Pass;
  log: Logger;
}

export interface Uplinks extends Pick<CrashGuard, "released" | "lost"> {
  /** What to do with the packets of a partition; called once an acquisition. */
  takesOf(p: string, session: BrokerSession): Promise<Takes>;
}

export function createUplinks(parts: UplinkParts): Uplinks {
  const { config, nats, trees, unheard, direct, instance, askHolder, members, isRefused, underWay, log } = parts;
  const stamp = createStamp(instance);
  const admit = createAdmit({ rate: config.ROUTER_RATE, burst: config.ROUTER_BURST });
  const guard = createCrashGuard(parts);
  const isUserName = createIsUserName(nats);

  return {
    async takesOf(p, session) {
      const send = createSend(session, trees, log, { unheard, direct });
      const acknowledge = createAcknowledge(send.kept);
      const path = { ...parts, admit, send: send.kept, acknowledge };
      const decodeMessage = createDecodeMessage(config.ROUTER_PACKET_BYTES);
      const receipt = counted(receiptUplink({ askHolder, acknowledge, send: send.kept }), underWay);
      const typing = counted(typingUplink({ members, isRefused, acknowledge, send: send.moment }), underWay);
      const state = counted(stateUplink({ nats, acknowledge, stamp }), underWay, { each: true });
      const takes = {
        msg: takeOf(messageUplink(path, decodeMessage), admit),
        receipt: takeOf(receipt, admit),
        rpc: takeOf(counted(requestUplink({ nats, send: send.once }), underWay, { each: true }), admit),
        typing: takeOf(typing, admit),
        state: takeOf(state, admit),
      } satisfies Record<UplinkVerb, Take>;
      const portFor = createPort({
        publicUrl: config.ROUTER_PUBLIC_URL,
        guests: parts.guests,
        isUserName,
        nats,
        path,
        admit,
        decodeMessage,
        receipt,
        typing,
        state,
      });
      const desks = trees.acquired(p, session, { portFor });
      return {
        ...takes,
        msg: await guard.acquired(p, takes.msg, acknowledge),
        tree: desks.take,
        left: send.release,
        treeState: desks.hearState,
      };
    },
    async released(p) {
      await Promise.all([trees.released(p), guard.released(p)]);
    },
    async lost(p) {
      await Promise.all([trees.released(p), guard.lost(p)]);
    },
  };
}

function takeOf<Packet>(uplink: Uplink<Packet>, admit: Admit): Take {
  return (arrived, from, confirm) => takePacket(uplink, admit, arrived, from, confirm);
}

/**
 * For what was confirmed on arrival and asks others: it is counted while it is under way, and a failure is told. `each`: a
 * device has a share of its own, so that it cannot fill what all have.
 */
function counted<Packet>(uplink: Uplink<Packet>, underWay: UnderWay, { each } = { each: false }): Uplink<Packet> {
  return {
    ...uplink,
    async work(packet, from, arrived) {
      const end = underWay.begin(each ? from.clientId : undefined, arrived.payload.length);
      if (!end) return tooMuch();
      try {
        return await uplink.work(packet, from, arrived);
      } catch (thrown) {
        return AppError.from(thrown);
      } finally {
        end();
      }
    },
  };
}
