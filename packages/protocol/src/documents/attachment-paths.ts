// Attachments in OpenAPI: their bodies are bytes, so no method describes them.
import { Attachment, attachmentIdPattern, attachmentPaths } from "../attachments.ts";
import { type Json, schemaJson } from "./json-document.ts";
import { errorContent, everywhere, jsonContent, responsesOf } from "./responses.ts";

export const attachmentsTag = "attachments";

const bytes: Json = { schema: { type: "string", format: "binary" } };
const header = (description: string): Json => ({ schema: { type: "string" }, description });
const spellings = "`/attachements`, SlimChat's own spelling, and a last slash are taken too.";

const upload: Json = {
  operationId: "attachments.upload",
  summary: `Stores a file: the body is the file, or a form with one. ${spellings}`,
  tags: [attachmentsTag],
  security: [{ userToken: [] }],
  parameters: [
    { name: "name", in: "query", schema: { type: "string", maxLength: 1_024 }, description: "the file's name" },
  ],
  requestBody: {
    required: true,
    content: {
      "application/octet-stream": bytes,
      "*/*": bytes,
      "multipart/form-data": {
        schema: { type: "object", required: ["file"], properties: { file: { type: "string", format: "binary" } } },
      },
    },
  },
  responses: {
    "201": {
      description: "stored; a message refers to it by `content.file`. What no message refers to is removed after a day",
      headers: { Location: header("path of its bytes") },
      content: jsonContent(schemaJson(Attachment)),
    },
    ...responsesOf([...everywhere, "unauthenticated", "forbidden", "infected"]),
  },
};

const fileHeaders: Json = {
  ETag: header("the SHA-256 of the bytes that the caller gets"),
  "Content-Disposition": header("its name; `attachment` unless browsers show it without running anything"),
  "Accept-Ranges": header("bytes"),
};

const sentOn: Json = {
  description:
    "where files are kept in S3 and links are on: the bytes are there, for a short time; ask again for another link",
  headers: { Location: header("a link that needs no token") },
};

const download: Json = {
  operationId: "attachments.get",
  summary: `The bytes of a file, for who uploaded it and whom it was sent to; these without where it was made. ${spellings}`,
  tags: [attachmentsTag],
  security: [{ userToken: [] }],
  parameters: [
    { name: "id", in: "path", required: true, schema: { type: "string", pattern: attachmentIdPattern } },
    {
      name: "Range",
      in: "header",
      schema: { type: "string" },
      description: "one range of bytes; of several all is sent",
    },
    { name: "If-Range", in: "header", schema: { type: "string" } },
    { name: "If-None-Match", in: "header", schema: { type: "string" } },
  ],
  responses: {
    "200": { description: "the file", headers: fileHeaders, content: { "*/*": bytes } },
    "206": { description: "the range", headers: fileHeaders, content: { "*/*": bytes } },
    "307": sentOn,
    "304": { description: "the caller has it" },
    "416": { description: "`invalid_packet`: no byte is in the range", content: errorContent },
    ...responsesOf([...everywhere, "unauthenticated", "forbidden", "not_found", "pending", "infected"]),
  },
};

const thumbnail: Json = {
  ...download,
  operationId: "attachments.thumbnail",
  summary: `A small picture of a picture or film, for who may have the file: at most 320 pixels wide and high. ${spellings}`,
  responses: {
    ...(download.responses as { [code: string]: Json }),
    "200": { description: "the thumbnail", headers: fileHeaders, content: { "image/webp": bytes, "image/png": bytes } },
  },
};

const grantedResponses = Object.entries(thumbnail.responses as { [code: string]: Json }).filter(
  ([code]) => code !== "401",
);

const granted: Json = {
  ...thumbnail,
  operationId: "attachments.thumbnail.granted",
  summary: `The same by an address from a notification: it needs no token, and holds for 15 minutes and as long as its user may have the file. ${spellings}`,
  security: [],
  parameters: [
    ...(thumbnail.parameters as Json[]),
    { name: "grant", in: "path", required: true, schema: { type: "string" }, description: "as the address has it" },
  ],
  responses: Object.fromEntries(grantedResponses),
};

/** By path and verb. */
export function attachmentPathItems(): { [path: string]: { [verb: string]: Json } } {
  const [path] = attachmentPaths;
  return {
    [path]: { post: upload },
    [`${path}/{id}`]: { get: download },
    [`${path}/{id}/thumbnail`]: { get: thumbnail },
    [`${path}/{id}/thumbnail/{grant}`]: { get: granted },
  };
}
