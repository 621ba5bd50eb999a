import assert from "node:assert/strict";
import { test } from "node:test";
import { AppError } from "../../../../errors.ts";
import { matches } from "./match.ts";
import { readQuery } from "./query.ts";

const properties = ["ch_id", "ch_name", "persis", "users", "mode"];
const tea = { ch_id: "tea", ch_name: "Awesome Tea Team", persis: true, users: ["ada", "bob"], mode: 7 };
const holds = (query: string, known = tea) => matches(readQuery(query, properties), known);

function refusal(query: string): string {
  try {
    readQuery(query, properties);
  } catch (error) {
    if (error instanceof AppError && error.code === "invalid_packet") return error.message;
    throw error;
  }
  return "none";
}

test("every operator compares as its name says, texts with texts and numbers with numbers", () => {
  for (const [query, expected] of [
    ["eq('ch_id', 'tea')", true],
    ["eq('ch_id', 'Tea')", false],
    ["eq('mode', '7')", false],
    ["eq('persis', true)", true],
    ["neq('ch_id', 'tea')", false],
    ["neq('ch_id', 'ch1')", true],
    ["gt('mode', 6)", true],
    ["gt('mode', 7)", false],
    ["gt('mode', '6')", false],
    ["gte('mode', 7)", true],
    ["lt('mode', 7.5)", true],
    ["lte('ch_id', 'tea')", true],
    ["gt('ch_id', 1)", false],
    ["expr('ch_name', '^A.*Team$')", true],
    ["expr('ch_name', '\\bTea\\b')", true],
    ["expr('ch_name', '^tea')", false],
    ["cs('users', ['ada', 'zoe'])", true],
    ["cs('users', ['zoe'])", false],
    ["neq('users', 'ada')", false],
    ["or(eq('ch_id', 'ch1'), expr('ch_name', 'Awesome.*Team') )", true],
    ["and(eq('ch_id', 'tea'), eq(\"mode\", 3))", false],
    ["and(eq('ch_id', 'tea'), neq('ch_name', 'it\\'s'))", true],
  ] as const)
    assert.equal(holds(query), expected, query);
});

test("what is not known yet leaves a query open, unless what is known decides it", () => {
  const { users: _, ...some } = tea;
  const open = (query: string) => matches(readQuery(query, properties), some);
  assert.equal(open("cs('users', ['ada'])"), undefined);
  assert.equal(open("and(eq('ch_id', 'ch1'), cs('users', ['ada']))"), false);
  assert.equal(open("or(eq('ch_id', 'tea'), cs('users', ['ada']))"), true);
  assert.equal(open("and(eq('ch_id', 'tea'), neq('users', 'ada'))"), undefined);
});

test("a query that cannot be read is refused with what is wrong", () => {
  for (const [query, words] of [
    ["", /ends too early/],
    ["'tea'", /a clause is one of/],
    ["eq('ch_id')", /takes a property and a value/],
    ["eq('password', 'x')", /the properties are ch_id/],
    ["eq('__proto__', 'x')", /the properties are ch_id/],
    ["like('ch_id', 'x')", /like is none of/],
    ["constructor('ch_id', 'x')", /constructor is none of/],
    ["and(eq('ch_id', 'x'))", /and takes two clauses/],
    ["eq('ch_id', ['a'])", /eq takes one value/],
    ["cs('users', [all()])", /cs takes a list/],
    ["expr('ch_name', 5)", /expr takes a pattern/],
    ["expr('ch_name', '(')", /the pattern cannot be read/],
    ["expr('ch_name', '(?=a)')", /the pattern cannot be read/],
    ["eq('ch_id', 'tea'", /\) is missing/],
    ["eq('ch_id', 'tea')) ", /behind its end/],
    ["eq('ch_id', 'tea'), eq('ch_id', 'tea')", /one clause is asked for/],
    ["eq('ch_id', tea)", /tea is neither in quotes/],
    ["eq('ch_id', 'tea", /cannot be read/],
    [`eq('ch_id', '${"x".repeat(3_000)}')`, /longer than 2048/],
    ["and(".repeat(40), /nested deeper/],
    [`cs('users', [${"1,".repeat(300)}1])`, /more than 256 parts/],
    [`expr('ch_name', '${"x".repeat(129)}')`, /128 characters/],
    ["expr('ch_name', '(?:x{50}){10}')", /patterns are too large/],
  ] as const)
    assert.match(refusal(query), words, query.slice(0, 60));
});

// With the engine of the language it would not end.
test("a pattern that would hold up the engine of the language for hours is answered", () => {
  const clause = readQuery("expr('ch_name', '^(a+)+$')", properties);
  assert.equal(matches(clause, { ch_name: `${"a".repeat(127)}!` }), false);
});
