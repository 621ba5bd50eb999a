// The export of an account in OpenAPI: its body is a ZIP, so no method describes it.
import { exportPath } from "../export.ts";
import type { Json } from "./json-document.ts";
import { everywhere, responsesOf } from "./responses.ts";

const download: Json = {
  operationId: "account.export",
  summary:
    "All that is kept of the caller and all messages that it may read, as a ZIP of JSON and of the files that it uploaded; `manifest.json`, its " +
    "last entry, counts them. An answer that is cut is a ZIP without directory. A user has one at once.",
  tags: ["account"],
  security: [{ userToken: [] }],
  responses: {
    "200": {
      description: "the export",
      headers: { "Content-Disposition": { schema: { type: "string" }, description: "a name for it" } },
      content: { "application/zip": { schema: { type: "string", format: "binary" } } },
    },
    ...responsesOf([...everywhere, "unauthenticated", "forbidden"]),
  },
};

/** By path and verb. */
export function exportPathItems(): { [path: string]: { [verb: string]: Json } } {
  return { [exportPath]: { get: download } };
}
