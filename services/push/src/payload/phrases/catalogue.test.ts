import assert from "node:assert/strict";
import { test } from "node:test";
import { contentKinds } from "@parley/protocol";
import { catalogue, type Language, languageOf, newMessages } from "./catalogue.ts";
import type { Phrases } from "./phrases.ts";

const languages = Object.keys(catalogue) as Language[];

const asked: [tag: string, language: Language][] = [
  ["en", "en"],
  ["en-GB", "en"],
  ["de-AT", "de"],
  ["de_CH", "de"],
  ["DE", "de"],
  ["zh-Hans-CN", "zh"],
  ["zh-TW", "zh"],
  ["uk-UA", "uk"],
  ["ar-EG-u-nu-arab", "ar"],
  ["fr-FR", "en"],
  ["den", "en"],
  ["", "en"],
  ["-", "en"],
  ["constructor", "en"],
  ["__proto__", "en"],
  ["x".repeat(10_000), "en"],
];
for (const [tag, language] of asked)
  test(`a device of the language ${JSON.stringify(tag.slice(0, 20))} is told in ${language}`, () =>
    assert.equal(languageOf(tag), language));

test("every language has a form of its own for each of its plurals", () => {
  for (const language of languages) {
    const categories = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
    assert.deepEqual(Object.keys(catalogue[language].newMessages).sort(), [...categories].sort(), language);
  }
});

const counted: [language: Language, count: number, words: string][] = [
  ["en", 0, "New message"],
  ["en", 1, "New message"],
  ["en", 2, "2 new messages"],
  ["de", 21, "21 neue Nachrichten"],
  ["zh", 3, "3 条新消息"],
  ["uk", 2, "2 нові повідомлення"],
  ["uk", 5, "5 нових повідомлень"],
  ["uk", 11, "11 нових повідомлень"],
  ["uk", 21, "21 нове повідомлення"],
  ["ar", 2, "رسالتان جديدتان"],
  ["ar", 3, "3 رسائل جديدة"],
  ["ar", 11, "11 رسالة جديدة"],
  ["ar", 100, "100 رسالة جديدة"],
];
for (const [language, count, words] of counted)
  test(`${count} messages are in ${language}: ${words}`, () => assert.equal(newMessages(language, count), words));

function phrasesOf(value: unknown, path = ""): [path: string, phrase: string][] {
  if (typeof value === "string") return [[path, value]];
  if (typeof value === "function") return [[path, value("N")]];
  return Object.entries(value as object).flatMap(([key, inner]) => phrasesOf(inner, `${path}.${key}`));
}

const script: Record<Language, RegExp> = {
  en: /^[\p{Script=Latin}\p{Script=Common}]+$/u,
  de: /^[\p{Script=Latin}\p{Script=Common}]+$/u,
  zh: /^[\p{Script=Han}\p{Script=Common}N]+$/u,
  uk: /^[\p{Script=Cyrillic}\p{Script=Common}N]+$/u,
  ar: /^[\p{Script=Arabic}\p{Script=Common}\p{Script=Inherited}N]+$/u,
};

test("every phrase of a language is written in its script, has no white space around it, and is there", () => {
  for (const language of languages) {
    const { direction: _, colon, byline, ...phrases }: Phrases = catalogue[language];
    assert.match(colon, /^[:：] ?$/u);
    assert.equal(byline("N"), `N${colon}`);
    for (const [path, phrase] of phrasesOf(phrases)) {
      assert.match(phrase, script[language], `${language}${path}`);
      assert.equal(phrase, phrase.trim(), `${language}${path}`);
      assert.notEqual(phrase, "", `${language}${path}`);
    }
  }
});

test("names that are put into a phrase stand in it once", () => {
  for (const language of languages) {
    const { mentionedYou, invitationFrom }: Phrases = catalogue[language];
    for (const phrase of [mentionedYou, invitationFrom]) assert.equal(phrase("<N>").split("<N>").length, 2, language);
  }
});

test("every outcome of a call that a message may have has words", () => {
  const outcomes = contentKinds.call.properties.outcome.anyOf.map(({ const: outcome }) => outcome).sort();
  for (const language of languages)
    for (const words of Object.values(catalogue[language].call)) assert.deepEqual(Object.keys(words).sort(), outcomes);
});
