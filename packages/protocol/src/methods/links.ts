// The method that api owns for links: what a message shows of a page.
import Type from "typebox";
import { displayText } from "../ids.ts";
import { limits } from "../limits.ts";
import { LinkPreview } from "../packets/link-preview.ts";
import { defineMethod } from "./method.ts";

export const linksPreview = defineMethod({
  name: "links.preview",
  owner: "api",
  summary:
    "What a page says of itself, for `content.preview` of a text that links to it: asked before the message is sent. The " +
    "server fetches the page, from public addresses only; its image is named and not fetched. Whatever cannot be read " +
    "is `not_found`; where the deployment fetches no pages it is `forbidden`.",
  http: { verb: "POST", path: "/links/preview" },
  params: Type.Object(
    { url: displayText({ minLength: 1, maxLength: limits.addressCharacters }) },
    { additionalProperties: false },
  ),
  result: LinkPreview,
  errors: ["not_found", "forbidden"],
});
