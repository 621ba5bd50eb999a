// Reads top-level fields of a JSON object of which perhaps only the beginning is there.

const headBytes = 1024;
const utf8 = new TextDecoder();
/** A string, a sign, or the rest: a number or a word. */
const tokens = /\s*("[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]:,]|[^\s"{}[\]:,]+)/gsy;

/** The strings and numbers among the object's own fields, as far as its first KiB has them whole. */
export function readJsonHead(bytes: Uint8Array): Map<string, string | number> {
  const found = new Map<string, string | number>();
  let key: string | undefined;
  let isValue = false;
  for (const token of ownTokens(utf8.decode(bytes.subarray(0, headBytes)))) {
    if (token === ":" || token === ",") isValue = token === ":";
    else if (!isValue) key = readString(token);
    else if (key !== undefined) {
      const value = readString(token) ?? Number(token);
      if (typeof value === "string" || Number.isFinite(value)) found.set(key, value);
    }
  }
  return found;
}

/** The tokens of the object itself, without those of what it holds. */
function* ownTokens(text: string): Iterable<string> {
  let depth = 0;
  for (const match of text.matchAll(tokens)) {
    const token = match[1]!;
    if (depth === 0 && token !== "{") return;
    if (token === "{" || token === "[") depth += 1;
    else if (token === "}" || token === "]") depth -= 1;
    // A number that the end of the text touches may be the beginning of a longer one.
    else if (depth === 1 && (token.startsWith('"') || match.index + match[0].length < text.length)) yield token;
    if (depth === 0) return;
  }
}

function readString(token: string): string | undefined {
  if (!token.startsWith('"')) return undefined;
  try {
    return JSON.parse(token) as string;
  } catch {
    return undefined;
  }
}
