// User properties of a packet: what each says stands in its name and value. Their order says nothing: some clients do not keep it.
import { AppError } from "../../errors.ts";
import type { PublishedProperties } from "../dialect.ts";

export type Field = readonly [name: string, value: string];

export interface Fields {
  /** Does it stand there, empty or not? */
  has(name: string): boolean;
  /** The first of that name; undefined where there is none, or it is empty. */
  one(name: string): string | undefined;
  all(name: string): string[];
  /** The refusal where one of these stands twice: which of the two counts nobody could say. */
  repeated(names: readonly string[]): AppError | undefined;
  /** Those whose names ASSChat does not use, as they came. */
  others(): Field[];
}

const names: ReadonlySet<string> = new Set([
  ...["CHID", "EP", "Mode", "MaxWriteSpeed", "OP", "Type", "Result", "Reason"],
  ...["From", "Id", "Seq", "Ts", "Edit", "Recall", "Reaction", "Remove", "Reply", "Name", "Caption", "Via"],
]);

export function readFields({ userProperties = [] }: PublishedProperties): Fields {
  const all = (name: string) => userProperties.flatMap(([key, value]) => (key === name && value !== "" ? [value] : []));
  return {
    has: (name) => userProperties.some(([key]) => key === name),
    all,
    repeated(once) {
      const twice = once.find((name) => all(name).length > 1);
      return twice === undefined ? undefined : new AppError("invalid_packet", `${twice} stands more than once`);
    },
    one: (name) => userProperties.find(([key, value]) => key === name && value !== "")?.[1],
    others: () => userProperties.filter(([name, value]) => !names.has(name) && name !== "" && value !== ""),
  };
}

const othersMax = 100;

/** What `others` answered, out of a stored message, whatever stands there. */
export function keptFields(kept: unknown): Field[] {
  if (!Array.isArray(kept)) return [];
  const pairs = kept.filter(
    (pair): pair is Field => Array.isArray(pair) && typeof pair[0] === "string" && typeof pair[1] === "string",
  );
  return pairs.filter(([name]) => !names.has(name)).slice(0, othersMax);
}

const unsaid = /[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]+/gu;
const charactersMax = 4_096;

/** As properties may be said: without what brokers close a connection for, none empty. */
export function writeFields(fields: readonly (readonly [name: string, value: string | number | undefined])[]): Field[] {
  const written: Field[] = [];
  for (const [name, value] of fields) {
    if (value === undefined) continue;
    const key = names.has(name) ? name : plain(name);
    // What is stored under an id may be anything.
    const text = typeof value === "number" ? `${value}` : plain(`${value ?? ""}`);
    if (key !== "" && text !== "") written.push([key, text]);
  }
  return written;
}

/** Most are: then there is nothing to take out. */
const isPlain = /^[!-~]{1,200}$/;

function plain(text: string): string {
  if (isPlain.test(text)) return text;
  return text.slice(0, charactersMax).replaceAll(unsaid, " ").trim();
}
