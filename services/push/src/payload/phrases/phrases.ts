// What one language has to say in notifications.

export type Direction = "ltr" | "rtl";
type Plural = Intl.LDMLPluralRule;
type CallOutcome = "answered" | "missed" | "declined" | "busy" | "failed" | "ringing";

/**
 * One language. No phrase says whether who wrote is a man or a woman, which nobody knows: where a verb would, a noun stands.
 * Names that are put in are isolated already where they are written the other way.
 */
export interface Phrases {
  direction: Direction;
  /** of a message whose text is not shown, to its reader, behind the name of who wrote */
  sentYou: string;
  newMessage: string;
  /** of two or more, for each category that the language's `Intl.PluralRules` know */
  newMessages: Partial<Record<Plural, (count: number) => string>> & { other: (count: number) => string };
  /** `text` comes behind it, in a room */
  byline(name: string): string;
  mentionedYou(name: string): string;
  /** between a phrase and what it introduces */
  colon: string;
  /** of a kind that only an application knows */
  sentMessage: string;
  image: string;
  video: string;
  audio: string;
  voice: string;
  file: string;
  location: string;
  contact: string;
  sticker: string;
  poll: string;
  /** the record of a call; `ringing`: of one that rings */
  call: Record<"audio" | "video", Record<CallOutcome, string>>;
  newInvitation: string;
  invitationFrom(name: string): string;
  contactRequest: string;
  contactAccepted: string;
  /** who has no name */
  somebody: string;
  test: string;
  testBody: string;
}
