// What a scenario is given and what it answers: figures, each beside a baseline of the same run.
import type { Cluster, ClusterOptions } from "@parley/testkit";
import type { SpokenName } from "./dialects/speeches.ts";

/** One figure. A rate is better when it is higher; a time or a cost when it is lower. */
export interface Figure {
  what: string;
  value: number;
  unit: string;
  baseline: { what: string; value: number };
  /** in words, and whether this run met it; undefined: a trial run cannot say */
  target?: { text: string; met: boolean | undefined };
}

export interface Table {
  head: readonly string[];
  rows: readonly (readonly (string | number)[])[];
}

/** What a scenario found. */
export interface Section {
  title: string;
  /** how to read it; one sentence each */
  notes: readonly string[];
  figures: readonly Figure[];
  /** whose figures they are; "Parley" unless said otherwise */
  subject?: string;
  /** further numbers of the same run, for people */
  tables?: readonly Table[];
}

export interface Bench {
  /** how long one figure is measured */
  seconds: number;
  /** how long it runs before it is measured */
  warmupSeconds: number;
  /** how often what is measured by turns is measured */
  rounds: number;
  /** a trial: small sizes and short times, whose figures say nothing */
  quick: boolean;
  /** how many the scenario connections holds */
  devices: number;
  /** in the large store of the scenario size */
  stored: { messages: number; conversations: number };
  ways: readonly ("broker" | "edge")[];
  inFlight: readonly number[];
  /** which are measured beside native */
  protocols: readonly SpokenName[];
  say(line: string): void;
  /** The cluster that scenarios share: SQLite, one of each service, no limit of the rate. */
  shared(): Promise<Cluster>;
  /** A cluster for this piece of work alone, gone afterwards; `fill` gets the store's URL before it starts. */
  withCluster<T>(
    options: Partial<ClusterOptions> & { fill?(storeUrl: string): Promise<void> },
    work: (cluster: Cluster) => Promise<T>,
  ): Promise<T>;
}

export interface Scenario {
  /** one line for --help */
  does: string;
  run(bench: Bench): Promise<Section[]>;
}

/** The size a full run has, or the one of a trial. */
export function sized<T>({ quick }: Pick<Bench, "quick">, full: T, trial: T): T {
  return quick ? trial : full;
}
