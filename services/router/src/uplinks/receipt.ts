// Receipts: the marks are moved by history, then told to those it names.
import {
  checkReceipt,
  type ReceiptPacket,
  type ReceiptReply,
  type ReceiptRequest,
  type UplinkTopic,
} from "@parley/protocol";
import type { AskHolder } from "@parley/runtime";
import { decodePacket } from "../admit/decode.ts";
import type { Acknowledge } from "../deliver/acknowledge.ts";
import type { SendKept } from "../deliver/send.ts";
import type { Uplink } from "../path.ts";

export interface ReceiptParts {
  askHolder: AskHolder;
  acknowledge: Acknowledge;
  send: SendKept;
}

export function receiptUplink({ askHolder, acknowledge, send }: ReceiptParts): Uplink<ReceiptPacket> {
  return {
    isStored: false,
    decode: ({ payload }) => decodePacket(payload, checkReceipt),
    refuse: acknowledge.nack,
    async work(receipt, from) {
      const request = requestOf(receipt, from);
      const { notice, tell, devices = [] } = await askHolder.json<ReceiptReply>("receipt", receipt.conv, request);
      if (tell.length + devices.length > 0) await send(Buffer.from(JSON.stringify(notice)), { users: tell, devices });
      return undefined;
    },
  };
}

function requestOf({ conv, delivered, read }: ReceiptPacket, { uid, clientId }: UplinkTopic): ReceiptRequest {
  return {
    conv,
    uid,
    clientId,
    ...(delivered === undefined ? {} : { delivered }),
    ...(read === undefined ? {} : { read }),
  };
}
