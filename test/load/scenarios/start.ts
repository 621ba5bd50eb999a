// `npm start` again where its data is, beside the first time in a new folder.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bench, type Figure, type Scenario, type Section, sized } from "../scenario.ts";
import { startWhole, type WholeStart } from "../whole-start.ts";

export const start: Scenario = {
  does: "`npm start` until it says how to chat: again with its data there, beside the first time",
  run: async (bench) => [await measureStarts(bench)],
};

async function measureStarts(bench: Bench): Promise<Section> {
  const times = sized(bench, 5, 1);
  const firsts: WholeStart[] = [];
  const seconds: WholeStart[] = [];
  for (let time = 1; time <= times; time++) {
    const dir = await mkdtemp(join(tmpdir(), "parley-bench-"));
    try {
      firsts.push(await startWhole(dir));
      seconds.push(await startWhole(dir));
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
    bench.say(`first start ${shown(firsts.at(-1))}, second ${shown(seconds.at(-1))}`);
  }
  const figure = (what: string, of: (one: WholeStart) => number): Figure => ({
    what,
    value: middle(seconds.map(of)),
    unit: "ms",
    baseline: { what: "the first time", value: middle(firsts.map(of)) },
  });
  return {
    title: "npm start",
    notes: [
      `From the typed command until the lines that say how to chat, ${times} times each, the middle one; packages and servers are installed.`,
      "The first time is in a new folder: secrets, stores and demo logins are made.",
      "CPU is of the services and servers until then; npm, start.mjs and what supervises them come on top.",
    ],
    figures: [figure("second start", ({ ms }) => ms), figure("second start, CPU", ({ cpuMs }) => cpuMs)],
  };
}

function middle(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function shown({ ms, cpuMs }: WholeStart = { ms: 0, cpuMs: 0 }): string {
  return `${Math.round(ms)} ms (CPU ${Math.round(cpuMs)} ms)`;
}
