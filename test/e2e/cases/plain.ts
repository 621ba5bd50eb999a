// Answers of three worlds made comparable: their names without the prefix, and what time or chance made named as that.

const chance: readonly [name: string, pattern: RegExp][] = [
  // Before the others: one in thirty of these has no digit that base 32 lacks.
  ["(id)", /^[0-9a-f]{12}$/],
  ["(ulid)", /^[0-9A-HJKMNP-TV-Z]{26}$/],
  ["(uuid)", /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/],
  ["(token)", /^[\w-]+\.[\w-]+\.[\w-]+$/],
  ["(secret)", /^[0-9a-f]{64}\.[\w-]+$/],
  ["(hex)", /^[0-9a-f]{32,}$/],
  ["(base32)", /^[a-z2-7]{12,}$/],
  ["(base64)", /^[\w-]{22,}$/],
];
// Which partition a device is in is its name's.
const partition = /^(im\/up\/)[0-9a-f]\//;
const idInText = /\b(f-[a-z2-7]{32}|[0-9a-f]{12})\b/g;
const leastTime = 1e12;

export function plain(value: unknown, prefix: string): unknown {
  if (typeof value === "number") return value > leastTime ? "(time)" : value;
  if (typeof value === "string") return plainText(value, prefix);
  if (Array.isArray(value)) return value.map((one) => plain(one, prefix));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([name, one]) => {
    const isPage = name === "next" && typeof one === "string";
    return [name.replaceAll(prefix, ""), isPage ? "(page)" : plain(one, prefix)] as const;
  });
  return Object.fromEntries(entries);
}

function plainText(text: string, prefix: string): string {
  const kind = text.includes(prefix) ? undefined : chance.find(([, pattern]) => pattern.test(text))?.[0];
  return kind ?? text.replaceAll(prefix, "").replace(partition, "$1(p)/").replaceAll(idInText, "(id)");
}
