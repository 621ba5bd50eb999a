// The broker's CONNACK in the edge's words: what the edge gives and does not give, and never the services' login.
import type { IConnackPacket } from "mqtt-packet";
import { refusal, writePacket } from "../packets/packets.ts";
import { type Reason, reasons } from "../packets/reasons.ts";
import { topicAliasMaximum } from "../packets/topic-aliases.ts";
import type { Admission } from "./connect.ts";

export function acceptance(connack: IConnackPacket, admission: Admission, maxPacketBytes: number): Buffer {
  const { sessionPresent } = connack;
  if (admission.version === 4) return writePacket({ cmd: "connack", sessionPresent, returnCode: 0 }, 4);
  const { assignedClientIdentifier: _, retainAvailable: __, ...properties } = connack.properties ?? {};
  const capped = admission.capped ? { sessionExpiryInterval: admission.sessionExpirySeconds } : {};
  const assigned = admission.assigned ? { assignedClientIdentifier: admission.clientId } : {};
  // A tree's packets grow on their way to the broker; what its protocol wants retained Parley keeps.
  const mountBytes = admission.tree === undefined ? 0 : admission.tree.mountpoint.length + 8;
  const takenByBroker = properties.maximumPacketSize ?? Number.POSITIVE_INFINITY;
  return writePacket(
    {
      cmd: "connack",
      sessionPresent,
      reasonCode: 0,
      properties: {
        ...properties,
        ...capped,
        ...assigned,
        maximumPacketSize: Math.min(maxPacketBytes, takenByBroker - mountBytes),
        topicAliasMaximum,
        ...(admission.tree === undefined ? { retainAvailable: false, sharedSubscriptionAvailable: false } : {}),
      },
    },
    5,
  );
}

/**
 * A broker that refuses the services' login is not the device's fault, and the cause passes: undefined, the device is only
 * closed.
 */
export function brokerRefusal(connack: IConnackPacket, admission: Admission): Buffer | undefined {
  const code = admission.version === 5 ? (connack.reasonCode ?? 0) : (connack.returnCode ?? 0);
  const reason = passedOn[code] ?? reasons.unavailable;
  const { version, maxPacketBytes } = admission;
  return refusal(reason, version, maxPacketBytes);
}

const passedOn: Record<number, Reason> = {
  2: reasons.clientIdInvalid,
  [reasons.clientIdInvalid.code]: reasons.clientIdInvalid,
  [reasons.topicInvalid.code]: reasons.topicInvalid,
  [reasons.tooLarge.code]: reasons.tooLarge,
  [reasons.busy.code]: reasons.busy,
};
