// What a message may show of a page that it links to.
import Type, { type Static } from "typebox";
import { displayText, linesText } from "../ids.ts";
import { limits } from "../limits.ts";

const PageAddress = Type.String({ maxLength: limits.addressCharacters, pattern: "^https?://[\\x21-\\x7e]+$" });
const line = (maxLength: number) => Type.Optional(displayText({ minLength: 1, maxLength }));

export const LinkPreview = Type.Object(
  {
    url: PageAddress,
    title: line(limits.previewTitle),
    description: Type.Optional(linesText({ minLength: 1, maxLength: limits.previewDescription })),
    site: line(limits.previewSite),
    image: Type.Optional(PageAddress),
  },
  { description: "of a link in the text, as its sender says: `links.preview` reads it from the page" },
);
export type LinkPreview = Static<typeof LinkPreview>;
