// Receipts: the marks are moved by history, then told to those it names.
import { checkReceipt, type ReceiptPacket, type ReceiptReply, type ReceiptRequest } from "@parley/protocol";
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
    async work(receipt, { uid }) {
      const request = requestOf(receipt, uid);
      const { notice, tell } = await askHolder.json<ReceiptReply>("receipt", receipt.conv, request);
      if (tell.length > 0) await send(Buffer.from(JSON.stringify(notice)), { users: tell, devices: [] });
      return undefined;
    },
  };
}

function requestOf({ conv, delivered, read }: ReceiptPacket, uid: string): ReceiptRequest {
  return { conv, uid, ...(delivered === undefined ? {} : { delivered }), ...(read === undefined ? {} : { read }) };
}
