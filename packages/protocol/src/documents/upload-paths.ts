// Resumable uploads in OpenAPI: tus, which has its own headers and statuses.
import Type from "typebox";
import { Attachment, attachmentIdPattern } from "../attachments.ts";
import type { ErrorCode } from "../errors.ts";
import { tus, uploadPaths } from "../resumable-uploads.ts";
import { type Json, schemaJson } from "./json-document.ts";
import { errorContent, everywhere, jsonContent, responsesOf } from "./responses.ts";

const tags = ["attachments"];
const security: Json = [{ userToken: [] }];
const text: Json = { type: "string" };
const count: Json = { type: "integer", minimum: 0 };

const inHeader = (name: string, schema: Json, description: string, required = false): Json => ({
  name,
  in: "header",
  required,
  schema,
  description,
});
const version = inHeader("Tus-Resumable", { const: tus.version }, "version of the protocol", true);
const checksum = inHeader("Upload-Checksum", text, `of the body: ${tus.checksums.join(" or ")}, a space, Base64`);
const id: Json = { name: "id", in: "path", required: true, schema: { type: "string", pattern: attachmentIdPattern } };

const told = (description: string): Json => ({ schema: text, description });
const expires = { "Upload-Expires": told("when it is removed if it is not finished") };
const offset = { "Upload-Offset": told("how many of its bytes are kept") };
const part: Json = { required: false, content: { [tus.partType]: { schema: { type: "string", format: "binary" } } } };

const refusals = (...codes: ErrorCode[]) => responsesOf([...everywhere, "unauthenticated", "forbidden", ...codes]);
const otherVersion = { "412": { description: "`invalid_packet`: another version of tus", content: errorContent } };
const otherBody = { "415": { description: "`invalid_packet`: another kind of body", content: errorContent } };
const wrongSum = { "460": { description: "`invalid_packet`: the checksum is not the body's", content: errorContent } };
const Begun = Type.Object({ offset: Type.Integer({ minimum: 0, description: "bytes that came" }) });

const whole = (description: string, headers: Json): Json => ({
  description,
  headers,
  content: jsonContent(schemaJson(Attachment)),
});

const create: Json = {
  operationId: "attachments.uploads.create",
  summary: "Begins an upload that may come in parts (tus); the body, if there is one, is the first of them",
  tags,
  security,
  parameters: [
    version,
    inHeader("Upload-Length", count, "bytes of the file", true),
    inHeader("Upload-Metadata", text, "pairs of a key and a value in Base64; `filename` is the file's name"),
    checksum,
  ],
  requestBody: part,
  responses: {
    "201": {
      description: "begun, with how many bytes came; or with the attachment where the file is whole",
      headers: {
        Location: told("path of the upload, which ends with the id of the attachment that it becomes"),
        ...offset,
        ...expires,
      },
      content: jsonContent({ anyOf: [schemaJson(Attachment), schemaJson(Begun)] }),
    },
    ...refusals("conflict"),
    ...otherVersion,
    ...wrongSum,
  },
};

const append: Json = {
  operationId: "attachments.uploads.append",
  summary: "The next part of an upload (tus); after the last one it is an attachment, which GET tells",
  tags,
  security,
  parameters: [id, version, inHeader("Upload-Offset", count, "how many bytes came before", true), checksum],
  requestBody: part,
  responses: {
    "204": {
      description: "taken",
      headers: { ...offset, ...expires, "Content-Location": told("path of the attachment, when the file is whole") },
    },
    ...refusals("not_found", "conflict"),
    ...otherVersion,
    ...otherBody,
    ...wrongSum,
  },
};

const get: Json = {
  operationId: "attachments.uploads.get",
  summary: "The attachment that an upload has become; `conflict` with `details.offset` until then",
  tags,
  security,
  parameters: [id],
  responses: { "200": whole("the attachment", {}), ...refusals("not_found", "conflict") },
};

const head: Json = {
  operationId: "attachments.uploads.head",
  summary: "How many bytes of an upload are kept (tus)",
  tags,
  security,
  parameters: [id, version],
  responses: {
    "200": { description: "it goes on from `Upload-Offset`", headers: { ...offset, ...expires } },
    ...refusals("not_found"),
    ...otherVersion,
  },
};

const remove: Json = {
  operationId: "attachments.uploads.remove",
  summary: "Gives an upload up (tus); an attachment that it has become stays",
  tags,
  security,
  parameters: [id, version],
  responses: { "204": { description: "gone" }, ...refusals("not_found"), ...otherVersion },
};

const options = (operationId: string, parameters: Json[] = []): Json => ({
  operationId,
  summary: "What of tus the server speaks",
  tags,
  parameters,
  responses: { "204": { description: "in `Tus-Version`, `Tus-Extension`, `Tus-Checksum-Algorithm`, `Tus-Max-Size`" } },
});

/** By path and verb. */
export function uploadPathItems(): { [path: string]: { [verb: string]: Json } } {
  const path = uploadPaths[0] ?? "";
  return {
    [path]: { post: create, options: options("attachments.uploads.options") },
    [`${path}/{id}`]: {
      get,
      head,
      patch: append,
      delete: remove,
      options: options("attachments.upload.options", [id]),
    },
  };
}
