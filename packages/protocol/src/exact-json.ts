// JSON whose numbers come back as they were written: 9007199254740993 and 1.0 are other text once they were numbers.

interface RawJson {
  /** [ECMA-262, JSON.parse source text access] */
  rawJSON(text: string): object;
  parse(text: string, reviver: (key: string, value: unknown, context: { source?: string }) => unknown): unknown;
}

const json = JSON as unknown as RawJson;

/** A value for JSON.stringify, which writes each number as it stood in `text`; not for reading. */
export function parseExactly(text: string): unknown {
  return json.parse(text, (_key, value, { source }) => {
    if (typeof value !== "number" || source === undefined || JSON.stringify(value) === source) return value;
    return json.rawJSON(source);
  });
}

// A number as it follows `:`, `,` or `[` that JSON.stringify may write otherwise: of 16 digits and more, with an exponent,
// -0, a fraction that ends in 0 or is very small.
const otherwise = /[:,[]\s*-?(?:[\d.]{16}|[\d.]*[eE]|\d+\.\d*0(?!\d)|0\.0{6}|(?<=-)0(?![\d.]))/;

/** False where a number of the JSON text may be written otherwise once it was read; a look that costs no parse. */
export function readsExactly(text: string): boolean {
  return !otherwise.test(text);
}
