// Receipts: confirmed on arrival, the marks moved by history, then told to those it names.
import {
  AppError,
  checkReceipt,
  decodeObject,
  messagesTopic,
  type ReceiptReply,
  type ReceiptRequest,
} from "@parley/protocol";
import type { AskHolder } from "@parley/runtime";
import type { Acknowledge } from "./acknowledge.ts";
import type { Admit } from "./admit.ts";
import { misplaced } from "./decode.ts";
import type { Take } from "./partition.ts";
import type { PublishMany } from "./publish.ts";

export interface ReceiptParts {
  askHolder: AskHolder;
  admit: Admit;
  acknowledge: Acknowledge;
  publishMany: PublishMany;
}

export function createTakeReceipt({ askHolder, admit, acknowledge, publishMany }: ReceiptParts): Take {
  return async (packet, topic, confirm) => {
    confirm();
    const parsed = decodeObject(packet.payload);
    const receipt = parsed instanceof AppError ? parsed : checkReceipt(parsed);
    const refused = receipt instanceof AppError ? receipt : (misplaced(topic) ?? admit(topic));
    if (receipt instanceof AppError || refused) return acknowledge.nack(topic, idOf(parsed), refused as AppError);
    const { conv, delivered, read } = receipt;
    const request: ReceiptRequest = {
      conv,
      uid: topic.uid,
      ...(delivered === undefined ? {} : { delivered }),
      ...(read === undefined ? {} : { read }),
    };
    try {
      const { notice, tell } = await askHolder.json<ReceiptReply>("receipt", conv, request);
      if (tell.length > 0) await publishMany(tell.map(messagesTopic), Buffer.from(JSON.stringify(notice)));
    } catch (thrown) {
      acknowledge.nack(topic, receipt.id ?? null, AppError.from(thrown));
    }
  };
}

function idOf(parsed: object): string | null {
  return "id" in parsed && typeof parsed.id === "string" ? parsed.id.slice(0, 64) : null;
}
