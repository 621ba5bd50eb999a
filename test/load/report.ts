// What scenarios found, as Markdown: every figure with its baseline and the ratio of the two.
import type { Figure, Section, Table } from "./scenario.ts";

export function reportOf(sections: readonly Section[]): string {
  return sections.map(reportOfSection).join("\n\n");
}

function reportOfSection({ title, notes, figures, subject = "Parley", tables = [] }: Section): string {
  const parts = [`## ${title}`, notes.join("\n")];
  if (figures.length > 0) parts.push(markdown(tableOf(figures, subject)));
  return [...parts, ...tables.map(markdown)].filter(Boolean).join("\n\n");
}

function tableOf(figures: readonly Figure[], subject: string): Table {
  const targeted = figures.some(({ target }) => target);
  return {
    head: ["figure", subject, "baseline", "", "ratio", ...(targeted ? ["target"] : [])],
    rows: figures.map(({ what, value, unit, baseline, target }) => [
      what,
      `${shown(value)} ${unit}`,
      `${shown(baseline.value)} ${unit}`,
      baseline.what,
      ratio(value, baseline.value),
      ...(targeted ? [target ? `${target.text}${verdict(target.met)}` : ""] : []),
    ]),
  };
}

function verdict(met: boolean | undefined): string {
  if (met === undefined) return "";
  return met ? ": met" : ": **missed**";
}

function markdown({ head, rows }: Table): string {
  const line = (cells: readonly (string | number)[]) =>
    `| ${cells.map((cell) => (typeof cell === "number" ? shown(cell) : cell)).join(" | ")} |`;
  return [line(head), line(head.map((_, index) => (index === 0 ? "---" : "---:"))), ...rows.map(line)].join("\n");
}

/** `37 %`, or `12 ×` from ten on. */
export function ratio(part: number, whole: number): string {
  if (!(whole > 0)) return "–";
  const times = part / whole;
  return times < 10 ? `${Math.round(100 * times)} %` : `${shown(times)} ×`;
}

/** Three digits that matter. */
export function shown(value: number): string {
  if (!Number.isFinite(value)) return "–";
  if (Math.abs(value) >= 100) return String(Math.round(value));
  return String(Number(value.toPrecision(3)));
}
