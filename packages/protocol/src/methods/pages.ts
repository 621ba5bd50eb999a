// How lists are asked for page by page.
import Type, { type TString } from "typebox";

/** The field `page` of a list: what the page before answered as `next`. */
export function pageToken(maxLength: number) {
  return Type.Optional(Type.String({ maxLength, description: "`next` of the page before" }));
}

/** The same where `next` is the id of the last one on the page: what cannot be one is refused. */
export function pagePlace(id: TString) {
  return Type.Optional(Type.Unsafe<string>({ ...id, description: "`next` of the page before" }));
}

/** The field `next` of a list's answer. */
export const Next = Type.Union([Type.String(), Type.Null()], { description: "page token, or null at the end" });
