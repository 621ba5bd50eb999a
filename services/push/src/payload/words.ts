// What a notification shows, in the language of the device, and no more than the user's setting lets it.
import { behind, isolated, type Line, phraseLine } from "./line.ts";
import type { Notice } from "./notice.ts";
import { catalogue, type Language, languageOf, newMessages } from "./phrases/catalogue.ts";
import type { Direction, Phrases } from "./phrases/phrases.ts";
import { previewOf } from "./preview.ts";
import { cutToBytes, cutToGraphemes, ellipsis, shownText } from "./shown-text.ts";

export interface Words {
  language: Language;
  direction: Direction;
  title: string;
  body?: Line;
}

/** No name is shown longer. Bytes count too, for a grapheme may have any number of them. */
export const nameMost = { graphemes: 100, bytes: 300 } as const;

/** undefined: nothing is shown. */
export function wordsOf(notice: Notice): Words | undefined {
  const language = languageOf(notice.language);
  const phrases: Phrases = catalogue[language];
  const { direction } = phrases;
  const said = notice.preview === "none" ? namelessOf(notice, language) : sayings[notice.kind](notice, language);
  return said && { language, direction, ...said };
}

type Said = Pick<Words, "title" | "body">;

const sayings: Readonly<Record<Notice["kind"], (notice: Notice, language: Language) => Said | undefined>> = {
  message(notice, language) {
    const phrases: Phrases = catalogue[language];
    const isFull = notice.preview === "full";
    return inPlace(notice, phrases, isFull ? previewOf(notice.content, phrases) : countOf(notice, language));
  },
  call(notice, language) {
    const phrases: Phrases = catalogue[language];
    return inPlace(notice, phrases, previewOf({ ...notice.content, type: "call", outcome: "ringing" }, phrases));
  },
  invitation({ from, room }, language) {
    const { newInvitation, invitationFrom, direction, somebody }: Phrases = catalogue[language];
    const name = isolated(nameOf(from?.name, from?.uid) || somebody, direction);
    return { title: nameOf(room?.name, room?.id) || newInvitation, body: phraseLine(invitationFrom(name)) };
  },
  request: ({ from }, language) => ofContact(from, catalogue[language], "contactRequest"),
  accepted: ({ from }, language) => ofContact(from, catalogue[language], "contactAccepted"),
  read: () => undefined,
  test: (_, language) => ({ title: catalogue[language].test, body: phraseLine(catalogue[language].testBody) }),
};

/** Not who, not where, not what. */
function namelessOf(notice: Notice, language: Language): Said | undefined {
  const phrases: Phrases = catalogue[language];
  const titles = {
    message: newMessages(language, notice.unread ?? 1),
    call: phrases.call.audio.ringing,
    invitation: phrases.newInvitation,
    request: phrases.contactRequest,
    accepted: phrases.contactAccepted,
  };
  const { kind } = notice;
  return kind === "read" || kind === "test" ? sayings[kind](notice, language) : { title: titles[kind] };
}

/** Of two people the title says who wrote; in a room where, and the body who. */
function inPlace({ from, room, mentioned, kind }: Notice, phrases: Phrases, line: Line): Said {
  const { direction, somebody, colon } = phrases;
  const name = nameOf(from?.name, from?.uid) || somebody;
  if (room === undefined) return { title: name, body: line };
  const shown = isolated(name, direction);
  const isMention = mentioned === true && kind === "message";
  const words = isMention ? phrases.mentionedYou(shown) + colon : phrases.byline(shown);
  return { title: nameOf(room.name, room.id) || name, body: behind(words, line, direction) };
}

function countOf({ unread = 1, room }: Notice, language: Language): Line {
  const isOneOfTwo = unread <= 1 && room === undefined;
  return phraseLine(isOneOfTwo ? catalogue[language].sentYou : newMessages(language, unread));
}

function ofContact(from: Notice["from"], phrases: Phrases, said: "contactRequest" | "contactAccepted"): Said {
  return { title: nameOf(from?.name, from?.uid) || phrases.somebody, body: phraseLine(phrases[said]) };
}

/** The first of these names that shows something; empty: none does. */
function nameOf(...names: readonly (string | undefined)[]): string {
  const shown = names.map((name) => cutToBytes(cutToGraphemes(shownText(name), nameMost.graphemes), nameMost.bytes));
  return shown.find((name) => name !== "" && name !== ellipsis) ?? "";
}
