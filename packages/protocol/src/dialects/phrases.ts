// Pieces that words are put together from. Whatever an older message holds in a field is said if it can be.

/** Those parts that are texts, a space between them. */
export function sentence(parts: readonly unknown[]): string {
  return listed(parts, " ") ?? "";
}

/** Those parts that are texts; undefined: none is. */
export function listed(parts: unknown, separator: string): string | undefined {
  const texts = Array.isArray(parts) ? parts.filter((part) => typeof part === "string" && part !== "") : [];
  return texts.length === 0 ? undefined : texts.join(separator).replaceAll(" \n", "\n");
}

/** In one line, its first characters. */
export function shortText(text: string, most: number): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  const characters = [...line.slice(0, 4 * most)];
  return characters.length > most ? `${characters.slice(0, most).join("")}…` : line;
}

/** `2:05`, `1:02:05` */
export function durationText(ms: unknown): string | undefined {
  if (typeof ms !== "number") return undefined;
  const seconds = Math.round(ms / 1_000);
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60];
  const two = (number: number) => `${number}`.padStart(2, "0");
  return `${hours > 0 ? `${hours}:${two(minutes)}` : minutes}:${two(seconds % 60)}`;
}

/** `48 kB` */
export function sizeText(bytes: unknown): string | undefined {
  if (typeof bytes !== "number") return undefined;
  const units = ["B", "kB", "MB", "GB"];
  const step = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  return `${Math.round(bytes / 1_000 ** step)} ${units[step]}`;
}
