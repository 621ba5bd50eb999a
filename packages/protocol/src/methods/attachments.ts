// The methods of attachments: what is known of them. Their bytes have routes of their own.
import Type from "typebox";
import { Attachment, attachmentIdPattern } from "../attachments.ts";
import { limits } from "../limits.ts";
import { defineMethod } from "./method.ts";

const Id = Type.String({ pattern: attachmentIdPattern });

export const attachmentsInfo = defineMethod({
  name: "attachments.info",
  owner: "api",
  summary:
    "What is known of a file, for who uploaded it and whom it was sent to; `media`: size, duration, waveform and thumbnail, " +
    "once they are made.",
  http: { verb: "GET", path: "/attachments/{id}/info" },
  params: Type.Object({ id: Id }, { additionalProperties: false }),
  result: Attachment,
  errors: ["not_found"],
});

export const attachmentsList = defineMethod({
  name: "attachments.list",
  owner: "api",
  summary:
    "What attachments.info tells of several files, in the order of their ids; one that is not there, or not the caller's to see, is left out. " +
    "`failed` has those of which nothing could be told now, and why; where that is so of all, it is the error.",
  http: { verb: "GET", path: "/attachments/info" },
  params: Type.Object(
    { ids: Type.Array(Id, { minItems: 1, maxItems: limits.listedAttachments, uniqueItems: true }) },
    { additionalProperties: false },
  ),
  result: Type.Object({
    attachments: Type.Array(Attachment),
    failed: Type.Optional(
      Type.Array(Type.Object({ id: Type.String(), code: Type.String(), message: Type.String() }), {
        description: "`unavailable`, `rate_limited`: ask again for these",
      }),
    ),
  }),
});
