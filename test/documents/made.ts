// Pages of docs/ that are written by hand but for some parts, which are made: each stands between two marks with its name.
import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface MadePage {
  path: string;
  written: string;
  wanted: string;
}

/** docs/{name} as it is, and as it would be with its parts made now. */
export function readMadePage(name: string, parts: Readonly<Record<string, string>>): MadePage {
  const path = join(import.meta.dirname, "../../docs", name);
  const written = readFileSync(path, "utf8");
  let wanted = written;
  for (const [part, text] of Object.entries(parts)) {
    const place = new RegExp(`(<!-- made: ${part} -->\n)[\\s\\S]*?(<!-- end -->)`);
    if (!place.test(wanted)) throw new Error(`docs/${name} has no place for ${part}`);
    wanted = wanted.replace(place, (_, begin: string, end: string) => `${begin}\n${text}\n\n${end}`);
  }
  return { path, written, wanted };
}
