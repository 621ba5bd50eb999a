// What is done with each verb of a partition's packets; the parts that all partitions of a router share are made once.
import type { UplinkTopic } from "@parley/protocol";
import type { AskHolder, BrokerSession, Logger, NatsConnection, Pass, ReceivedPacket, Redis } from "@parley/runtime";
import { createAdmit } from "../admit/admit.ts";
import { createDecode } from "../admit/decode.ts";
import type { UnderWay } from "../admit/under-way.ts";
import type { Append } from "../append/append.ts";
import type { RouterConfig } from "../config.ts";
import { createAcknowledge } from "../deliver/acknowledge.ts";
import type { Deliver } from "../deliver/deliver.ts";
import type { Members } from "../deliver/members.ts";
import { createPublishMany } from "../deliver/publish.ts";
import type { ReadStored } from "../deliver/read-stored.ts";
import { type CrashGuard, createCrashGuard } from "../ingest/crash-guard.ts";
import { createDeadLetter } from "../ingest/dead-letter.ts";
import type { Verbs } from "../ingest/partition.ts";
import { type Path, takeMessage } from "../path.ts";
import { createTakeState, createTakeTyping } from "./ephemeral.ts";
import { createTakeReceipt } from "./receipt.ts";
import { createTakeRequest } from "./request.ts";

export interface VerbParts {
  config: RouterConfig;
  nats: NatsConnection;
  redis: Redis;
  instance: string;
  append: Append;
  askHolder: AskHolder;
  members: Members;
  deliver: Deliver;
  readStored: ReadStored;
  underWay: UnderWay;
  pass: Pass;
  log: Logger;
}

export interface VerbFactory {
  verbsOf(p: string, session: BrokerSession): Promise<Verbs>;
  released: CrashGuard["released"];
  lost: CrashGuard["lost"];
}

export function createVerbs(parts: VerbParts): VerbFactory {
  const { config, nats, append, askHolder, members, deliver, readStored, underWay, pass, log } = parts;
  const admit = createAdmit({ rate: config.ROUTER_RATE, burst: config.ROUTER_BURST });
  const decode = createDecode(config.ROUTER_PACKET_BYTES);
  const deadLetter = createDeadLetter(nats, log);
  const guard = createCrashGuard({ ...parts, deadLetter });

  return {
    async verbsOf(p, session) {
      const publishMany = createPublishMany(session, log);
      const acknowledge = createAcknowledge(publishMany);
      const publish = (topic: string, payload: Uint8Array) => void session.publish(topic, payload, 0);
      const path: Path = {
        decode,
        admit,
        append,
        deliver,
        readStored,
        publishMany,
        acknowledge,
        pass,
        deadLetter,
        log,
      };
      const take = (packet: ReceivedPacket, topic: UplinkTopic, confirm: () => void) =>
        takeMessage(path, packet, topic, confirm);
      return {
        msg: await guard.acquired(p, take, acknowledge),
        receipt: createTakeReceipt({ askHolder, admit, acknowledge, underWay, publishMany }),
        rpc: createTakeRequest({ nats, admit, underWay, publish: session.publish.bind(session) }),
        typing: createTakeTyping({ nats, members, admit, acknowledge, underWay, publish }),
        state: createTakeState({ nats, members, admit, acknowledge, underWay, publish }),
      };
    },
    released: guard.released,
    lost: guard.lost,
  };
}
