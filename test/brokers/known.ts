// The names of settings that EMQX 5.8.9 and VerneMQ 2.2.0 know, read out of their own schemas; `$name` is any name, `[]` an entry.
import { readFileSync } from "node:fs";

export type Known = (name: string) => boolean;

export function knownSettings(file: "emqx-5.8.9.txt" | "vernemq-2.2.0.txt"): Known {
  const names = readFileSync(new URL(`known/${file}`, import.meta.url), "utf8")
    .trim()
    .split("\n");
  const patterns = names.map((name) => {
    const [own = "", ...entries] = name.split("[]");
    const escaped = (part: string) => part.replaceAll(/[.[\]]/g, "\\$&").replaceAll("$name", "[^.]+");
    // A list may be empty; what is below headers and bodies has names of the operator's own.
    const below = /\.(headers|body)$/.test(name) ? "(\\..+)?" : "";
    const inside = entries.length === 0 ? "" : `(\\[\\]${entries.map(escaped).join("\\[\\]")}${below})?`;
    return new RegExp(`^${escaped(own)}${inside === "" ? below : inside}$`);
  });
  return (name) => patterns.some((pattern) => pattern.test(name));
}

/** Every value below, by its full name. */
export function leavesOf(value: unknown, path: string): string[] {
  if (Array.isArray(value)) return value.length === 0 ? [path] : value.flatMap((one) => leavesOf(one, `${path}[]`));
  if (typeof value !== "object" || value === null) return [path];
  return Object.entries(value).flatMap(([name, one]) => leavesOf(one, path === "" ? name : `${path}.${name}`));
}
