// What a reaction says: any emoji or short text about a message, given or taken back.
import { isName } from "../ids.ts";
import { limits } from "../limits.ts";

export interface Reaction {
  /** composed, so that two spellings of one character are one */
  text: string;
  /** it is taken back */
  remove: boolean;
}

/** The reaction in a message's content, `{"type":"reaction","seq","data","remove"?}`; undefined where it is none. */
export function readReaction(content: object): Reaction | undefined {
  const { data, remove = false } = content as { data?: unknown; remove?: unknown };
  if (typeof data !== "string" || typeof remove !== "boolean" || !isName(data)) return undefined;
  const text = data.normalize("NFC").trim();
  return text.length > 0 && text.length <= limits.reactionCharacters ? { text, remove } : undefined;
}
