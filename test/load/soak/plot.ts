// Lines over time as an SVG that reads on a phone, in light and in dark.

export interface Line {
  name: string;
  points: readonly { at: number; value: number }[];
}

export interface PlotOptions {
  title: string;
  /** of the values */
  unit: string;
  lines: readonly Line[];
}

const width = 720;
const height = 520;
const area = { left: 62, right: 560, top: 52, bottom: 462 };
const labelStep = 19;
/** Colours that are told apart by most eyes, for light and for dark ground. */
const colours = [
  ["#1f5fbf", "#7db2ff"],
  ["#b3470a", "#ff9d5c"],
  ["#1c7a3c", "#6fd08c"],
  ["#8a2a8f", "#e08ae6"],
  ["#9a7400", "#e6c34d"],
  ["#0b7a80", "#5fd0d6"],
  ["#b01e3c", "#ff7d95"],
  ["#555555", "#bbbbbb"],
  ["#4b3fae", "#a79dff"],
];

export function plotSvg({ title, unit, lines }: PlotOptions): string {
  const all = lines.flatMap(({ points }) => points);
  const end = Math.max(60, ...all.map(({ at }) => at)) / 60;
  const top = Math.max(1, ...all.map(({ value }) => value));
  const minutes = ticks(end);
  const values = ticks(top * 1.05);
  const last = Math.max(top * 1.05, values.at(-1) ?? 0);
  const x = (at: number) => area.left + ((area.right - area.left) * at) / (end * 60);
  const y = (value: number) => area.bottom - ((area.bottom - area.top) * value) / last;
  const grid = values.map(
    (value) =>
      `<path class="grid" d="M${area.left} ${round(y(value))}H${area.right}"/><text x="${area.left - 8}" y="${round(y(value) + 5)}" text-anchor="end">${value}</text>`,
  );
  const times = minutes.map(
    (minute) => `<text x="${round(x(minute * 60))}" y="${area.bottom + 24}" text-anchor="middle">${minute}</text>`,
  );
  const drawn = lines.map(({ points }, index) => {
    const path = points.map(({ at, value }, step) => `${step === 0 ? "M" : "L"}${round(x(at))} ${round(y(value))}`);
    return `<path class="line c${index % colours.length}" d="${path.join("")}"/>`;
  });
  const described = `${title}: ${lines.map(({ name, points }) => `${name} ${points.at(-1)?.value.toFixed(0)} ${unit} at the end`).join(", ")}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${asXml(described)}">
<style>${style()}</style>
<rect class="ground" width="${width}" height="${height}"/>
<text class="title" x="14" y="28">${asXml(title)}</text>
${grid.join("\n")}
${times.join("\n")}
<text x="${area.left}" y="${area.top - 8}" text-anchor="end">${asXml(unit)}</text>
<text x="${(area.left + area.right) / 2}" y="${area.bottom + 48}" text-anchor="middle">minutes</text>
${drawn.join("\n")}
${labels(lines, y).join("\n")}
</svg>
`;
}

// At the end of each line its name and last value; those that would overlap move apart.
function labels(lines: readonly Line[], y: (value: number) => number): string[] {
  const wanted = lines
    .map(({ name, points }, index) => ({ name, index, value: points.at(-1)?.value ?? 0 }))
    .sort((a, b) => b.value - a.value);
  let floor = area.top;
  const placed = wanted.map((label) => {
    const at = Math.max(floor, y(label.value));
    floor = at + labelStep;
    return { ...label, at };
  });
  const over = Math.max(0, floor - labelStep - area.bottom);
  return placed.map(({ name, index, value, at }, rank) => {
    const place = round(Math.max(area.top + rank * labelStep, at - over) + 5);
    return `<text class="label c${index % colours.length}" x="${area.right + 8}" y="${place}">${asXml(name)} ${value.toFixed(0)}</text>`;
  });
}

/** Round numbers from 0 up to `end`, five to ten of them. */
export function ticks(end: number): number[] {
  const rough = end / 6;
  const scale = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * scale).find((one) => one >= rough) ?? rough;
  return Array.from({ length: Math.floor(end / step) + 1 }, (_, index) => Number((index * step).toPrecision(6)));
}

function style(): string {
  const coloured = (which: 0 | 1) =>
    colours
      .map((pair, index) => `.line.c${index}{stroke:${pair[which]}}.label.c${index}{fill:${pair[which]}}`)
      .join("");
  return [
    "text{font:15px system-ui,sans-serif;fill:#333}.title{font-size:18px;font-weight:600}.ground{fill:#fff}",
    ".grid{stroke:#ddd;stroke-width:1;fill:none}.line{fill:none;stroke-width:2}",
    coloured(0),
    `@media(prefers-color-scheme:dark){text{fill:#ddd}.ground{fill:#161616}.grid{stroke:#3a3a3a}${coloured(1)}}`,
  ].join("");
}

function round(value: number): number {
  return Number(value.toFixed(1));
}

function asXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
