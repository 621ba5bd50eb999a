// Variables in a compose file as Compose replaces them: ${NAME:-default}, ${NAME:?message} and their kin, $$ for a dollar.

type Environment = Readonly<Record<string, string | undefined>>;

const reference = /\$(?:(\$)|(\w+)|\{(\w+)(?:(:?[-?+])((?:[^{}]|\{[^{}]*\})*))?\})/g;

/** Every `${…}` of a text. */
export function referencesIn(text: string): { name: string; operator: string; word: string }[] {
  return [...text.matchAll(reference)]
    .filter(([, dollar]) => dollar === undefined)
    .map(([, , bare, name, operator = "", word = ""]) => ({ name: (bare ?? name)!, operator, word }));
}

/** The text with its variables replaced. Throws the file's own message where a variable is needed and unset (`:?`). */
export function interpolate(text: string, env: Environment): string {
  return text.replaceAll(reference, (_, dollar, bare, named, operator: string | undefined, word = "") => {
    if (dollar) return "$";
    const name: string = bare ?? named;
    const value = env[name];
    const isSet = operator?.startsWith(":") ? value !== undefined && value !== "" : value !== undefined;
    switch (operator?.at(-1)) {
      case "-":
        return isSet ? value! : interpolate(word, env);
      case "+":
        return isSet ? interpolate(word, env) : "";
      case "?":
        if (!isSet) throw new Error(`${name}: ${interpolate(word, env)}`);
        return value!;
      default:
        return value ?? "";
    }
  });
}

/** Every text of a document, however deep. */
export function mapTexts(value: unknown, map: (text: string) => string): unknown {
  if (typeof value === "string") return map(value);
  if (Array.isArray(value)) return value.map((one) => mapTexts(one, map));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, mapTexts(one, map)]));
}
