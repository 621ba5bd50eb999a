// ASSChat, query operators: what a search asks for, read from its text.
import { RE2JS } from "re2js";
import { AppError } from "../../../../errors.ts";
import { isCall, readTerms, type Term } from "./terms.ts";

export type Value = string | number | boolean;

export type Clause =
  | { of: "and" | "or"; clauses: readonly Clause[] }
  | { of: "property"; property: string; holds(value: Value): boolean; isNegated?: true };

type Compare = (value: Value, other: Value) => boolean;

const compares: Readonly<Record<string, Compare>> = {
  eq: (value, other) => value === other,
  gt: (value, other) => areOrdered(value, other) && value > other,
  gte: (value, other) => areOrdered(value, other) && value >= other,
  lt: (value, other) => areOrdered(value, other) && value < other,
  lte: (value, other) => areOrdered(value, other) && value <= other,
};

function areOrdered(value: Value, other: Value): boolean {
  return typeof value === typeof other && typeof value !== "boolean";
}

const operators = "eq, neq, gt, gte, lt, lte, expr, cs, and, or";
/** A pattern's steps at each character of a name; of all patterns together. */
const patternBounds = { characters: 128, steps: 200 } as const;

/** `properties`: what may be asked for. Throws the refusal. */
export function readQuery(text: string, properties: readonly string[]): Clause {
  const terms = readTerms(text);
  const [term] = terms;
  let steps = 0;

  function clauseOf(one: Term | undefined): Clause {
    if (one === undefined || !isCall(one)) throw wrong(`a clause is one of ${operators}, with brackets`);
    const { name, args } = one;
    if (name === "and" || name === "or") {
      if (args.length < 2) throw wrong(`${name} takes two clauses`);
      return { of: name, clauses: args.map(clauseOf) };
    }
    const [property, given] = args;
    if (args.length !== 2 || given === undefined) throw wrong(`${name} takes a property and a value`);
    if (typeof property !== "string" || !properties.includes(property))
      throw wrong(`the properties are ${properties.join(", ")}`);
    return { of: "property", property, ...comparisonOf(name, given) };
  }

  function comparisonOf(name: string, given: Term): Pick<Extract<Clause, { of: "property" }>, "holds" | "isNegated"> {
    if (name === "cs") return { holds: isOneOf(given) };
    if (name === "expr") return { holds: patternOf(given) };
    const isNegated = name === "neq";
    const compare = Object.hasOwn(compares, name) ? compares[name] : isNegated ? compares.eq : undefined;
    if (compare === undefined) throw wrong(`${name} is none of ${operators}`);
    if (typeof given === "object") throw wrong(`${name} takes one value`);
    return { holds: (value) => compare(value, given), ...(isNegated ? { isNegated } : {}) };
  }

  function patternOf(given: Term): (value: Value) => boolean {
    if (typeof given !== "string") throw wrong("expr takes a pattern in quotes");
    if (given.length > patternBounds.characters)
      throw wrong(`a pattern has ${patternBounds.characters} characters at most`);
    const pattern = compile(given);
    steps += pattern.programSize();
    if (steps > patternBounds.steps) throw wrong("its patterns are too large");
    return (value) => typeof value === "string" && pattern.test(value);
  }

  if (terms.length !== 1) throw wrong("one clause is asked for; and(…), or(…) combine several");
  return clauseOf(term);
}

function isOneOf(given: Term): (value: Value) => boolean {
  const list = Array.isArray(given) ? given : [given];
  if (list.some((one) => typeof one === "object")) throw wrong("cs takes a list of values");
  const values = new Set<unknown>(list);
  return (value) => values.has(value);
}

// Of linear time: never the engine of the language, which a pattern can hold up for hours.
function compile(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    throw wrong(`the pattern cannot be read: ${error instanceof Error ? error.message.slice(0, 100) : ""}`);
  }
}

function wrong(why: string): AppError {
  return new AppError("invalid_packet", `query: ${why}`);
}
