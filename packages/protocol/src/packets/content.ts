// What a message may hold: one table of content types, each with its fields and their bounds. Other fields pass through.
import Type, { type Static, type TObject } from "typebox";
import { type Check, checkOf } from "../check.ts";
import { AppError } from "../errors.ts";
import { displayText, linesText, Uid } from "../ids.ts";
import { limits } from "../limits.ts";
import { Ms, Pixels, thumbnailFields, Waveform } from "../media.ts";
import { LinkPreview } from "./link-preview.ts";
import { readReaction } from "./reaction.ts";

const About = Type.Integer({ minimum: 1, description: "seq of the message it is about" });

const file = {
  file: Type.Optional(Type.String({ maxLength: 256, description: "id of an attachment" })),
  url: Type.Optional(Type.String({ maxLength: 2_048 })),
  name: Type.Optional(displayText({ maxLength: 255 })),
  size: Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description: "bytes" })),
  mime: Type.Optional(displayText({ maxLength: 128 })),
  data: Type.Optional(Type.Union([Type.String({ description: "what is said with it" }), Type.Object({})])),
};
const { url: thumbnailUrl, ...thumbnail } = thumbnailFields;
const picture = {
  width: Type.Optional(Pixels),
  height: Type.Optional(Pixels),
  thumbnail: Type.Optional(Type.Object({ url: thumbnailUrl, ...Type.Partial(Type.Object(thumbnail)).properties })),
};
const sound = { durationMs: Type.Optional(Ms), waveform: Type.Optional(Waveform) };

/** content.type → what its fields are. */
export const contentKinds = {
  text: kind("text", { data: Type.Optional(Type.String()), preview: Type.Optional(LinkPreview) }),
  image: kind("image", { ...file, ...picture }),
  audio: kind("audio", {
    ...file,
    ...sound,
    voice: Type.Optional(Type.Boolean({ description: "recorded to be heard as a message" })),
  }),
  video: kind("video", { ...file, ...picture, ...sound }),
  file: kind("file", file),
  location: kind("location", {
    latitude: Type.Number({ minimum: -90, maximum: 90, description: "degrees north, WGS 84" }),
    longitude: Type.Number({ minimum: -180, maximum: 180, description: "degrees east" }),
    accuracy: Type.Optional(Type.Number({ minimum: 0, maximum: 50_000_000, description: "metres" })),
    name: Type.Optional(displayText({ maxLength: 128 })),
    address: Type.Optional(linesText({ maxLength: 256 })),
  }),
  contact: kind("contact", {
    name: displayText({ minLength: 1, maxLength: 128 }),
    uid: Type.Optional(Uid),
    phones: Type.Optional(Type.Array(displayText({ minLength: 1, maxLength: 32 }), { maxItems: 10 })),
    emails: Type.Optional(Type.Array(displayText({ minLength: 1, maxLength: 254 }), { maxItems: 10 })),
  }),
  sticker: kind("sticker", {
    file: file.file,
    url: file.url,
    pack: Type.Optional(displayText({ maxLength: 64 })),
    name: Type.Optional(displayText({ maxLength: 64 })),
    emoji: Type.Optional(displayText({ maxLength: 64 })),
  }),
  call: kind("call", {
    media: Type.Union([Type.Literal("audio"), Type.Literal("video")]),
    outcome: Type.Union(
      [
        Type.Literal("answered"),
        Type.Literal("missed"),
        Type.Literal("declined"),
        Type.Literal("busy"),
        Type.Literal("failed"),
        Type.Literal("ringing"),
      ],
      { description: "ringing: it begins; how it ended follows as another message with the same `call`" },
    ),
    call: Type.Optional(displayText({ minLength: 1, maxLength: 64 })),
    startedAt: Type.Optional(Ms),
    durationMs: Type.Optional(Ms),
    uids: Type.Optional(Type.Array(Uid, { maxItems: 100, description: "who took part" })),
  }),
  poll: kind("poll", {
    question: linesText({ minLength: 1, maxLength: 300 }),
    options: Type.Array(displayText({ minLength: 1, maxLength: 100 }), {
      minItems: 2,
      maxItems: limits.pollOptions,
      uniqueItems: true,
    }),
    multiple: Type.Optional(Type.Boolean({ description: "a vote may be for several options" })),
    anonymous: Type.Optional(
      Type.Boolean({
        description: "nobody is told who voted for what, nor how many for what before the poll is closed",
      }),
    ),
  }),
  vote: kind("vote", {
    seq: About,
    options: Type.Array(Type.Integer({ minimum: 0, maximum: limits.pollOptions - 1 }), {
      maxItems: limits.pollOptions,
      uniqueItems: true,
      description: "of the poll, counted from 0, in place of an earlier vote; none takes it back",
    }),
  }),
  close: kind("close", { seq: About }),
  edit: kind("edit", { seq: About, data: Type.Optional(Type.Unknown({ description: "the new text" })) }),
  recall: kind("recall", { seq: About }),
  reaction: kind("reaction", {
    seq: About,
    data: Type.String({ description: `an emoji or a text, 1 to ${limits.reactionCharacters} characters` }),
    remove: Type.Optional(Type.Boolean({ description: "takes it back" })),
  }),
} as const;

type Kinds = typeof contentKinds;
/** Content of a type that Parley knows, or of an application's own, which is passed through as it is. */
export type MessageContent = ({ [K in keyof Kinds]: Static<Kinds[K]> }[keyof Kinds] | { type: `x-${string}` }) & {
  [field: string]: unknown;
};

/** Content types that never count as unread. */
export const uncountedTypes: ReadonlySet<string> = new Set(["event", "edit", "recall", "reaction", "vote", "close"]);
/** Content types that point at another message by `content.seq`. */
export const pointingTypes: ReadonlySet<string> = new Set(["edit", "recall", "reaction", "vote", "close"]);

/** Of these fields one at least is there. */
const oneOf: Readonly<Record<string, readonly string[]>> = {
  image: ["file", "url", "data"],
  audio: ["file", "url", "data"],
  video: ["file", "url", "data"],
  file: ["file", "url", "data"],
  sticker: ["file", "url", "name", "emoji"],
};

const checks: Readonly<Record<string, Check<TObject>>> = Object.fromEntries(
  Object.entries(contentKinds).map(([type, schema]) => [type, checkOf(Type.Object({ content: schema }))]),
);

/** Why a message that is of its schema may not be sent: one rule for every door. */
export function refuseContent(message: { content: { type: string } }): AppError | undefined {
  const { content } = message;
  const { type } = content;
  if (type === "event") return new AppError("forbidden", "content.type event is made by the server only");
  const checked = checks[type]?.(message);
  if (checked instanceof AppError) return checked;
  const needed = oneOf[type];
  if (needed && !needed.some((field) => (content as Record<string, unknown>)[field] !== undefined))
    return new AppError("invalid_packet", `content has none of ${needed.join(", ")}: what is the ${type}?`);
  if (type === "reaction" && !readReaction(content)) {
    const words = `content.data is the reaction, 1 to ${limits.reactionCharacters} characters; content.remove takes it back`;
    return new AppError("invalid_packet", words);
  }
  return undefined;
}

function kind<T extends string, P extends Record<string, Type.TSchema>>(type: T, fields: P) {
  return Type.Object({ type: Type.Literal(type), ...fields }, { additionalProperties: true });
}
