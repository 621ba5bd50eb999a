// All words of notifications: one catalogue. The type checker wants every phrase in every language.
import { arabic } from "./arabic.ts";
import { chinese } from "./chinese.ts";
import { english } from "./english.ts";
import { german } from "./german.ts";
import type { Phrases } from "./phrases.ts";
import { ukrainian } from "./ukrainian.ts";

export const catalogue = {
  en: english,
  de: german,
  zh: chinese,
  uk: ukrainian,
  ar: arabic,
} as const satisfies Readonly<Record<string, Phrases>>;

export type Language = keyof typeof catalogue;

/** The language of the catalogue that a BCP 47 tag asks for, by the lookup of RFC 4647 (`de-AT` is `de`); else English. */
export function languageOf(tag: string): Language {
  const parts = tag.toLowerCase().split(/[-_]/);
  for (; parts.length > 0; parts.pop()) {
    const range = parts.join("-");
    if (Object.hasOwn(catalogue, range)) return range as Language;
  }
  return "en";
}

const rules = Object.fromEntries(
  Object.keys(catalogue).map((language) => [language, new Intl.PluralRules(language)]),
) as Record<Language, Intl.PluralRules>;

export function newMessages(language: Language, count: number): string {
  const { newMessage, newMessages: forms }: Phrases = catalogue[language];
  if (count <= 1) return newMessage;
  return (forms[rules[language].select(count)] ?? forms.other)(count);
}
