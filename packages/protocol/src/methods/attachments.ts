// The method of attachments: what is known of one. Their bytes have routes of their own.
import Type from "typebox";
import { Attachment, attachmentIdPattern } from "../attachments.ts";
import { defineMethod } from "./method.ts";

export const attachmentsInfo = defineMethod({
  name: "attachments.info",
  owner: "api",
  summary:
    "What is known of a file, for who uploaded it and whom it was sent to; `media`: size, duration, waveform and thumbnail, " +
    "once they are made.",
  http: { verb: "GET", path: "/attachments/{id}/info" },
  params: Type.Object({ id: Type.String({ pattern: attachmentIdPattern }) }, { additionalProperties: false }),
  result: Attachment,
  errors: ["not_found"],
});
