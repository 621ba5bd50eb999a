// The arithmetic of docs/capacity.md: plain formulas of the inputs.
import type { Input, InputName } from "./inputs.ts";

export type Figures = Readonly<Record<InputName, number>>;

export function figuresOf(inputs: Readonly<Record<InputName, Input>>): Figures {
  return Object.fromEntries(Object.entries(inputs).map(([name, { value }]) => [name, value])) as Figures;
}

/** Cores that are busy with `perSecond` of something that takes `micros` of CPU. */
export function cores(perSecond: number, micros: number): number {
  return (perSecond * micros) / 1e6;
}

/** How many processes of one thread that takes, each at most `busy` of a core. */
export function processes(busyCores: number, busy: number): number {
  return Math.ceil(busyCores / busy);
}

/** The rate of everything at which a part that has `share` of it and does `micros` for each fills a core. */
export function fullAt(micros: number, share = 1): number {
  return 1e6 / (micros * share);
}

export function gigabytes(bytes: number): number {
  return bytes / 1e9;
}

const secondsOfDay = 86_400;

/** TB a day. */
export function terabytesADay(perSecond: number, bytes: number): number {
  return (perSecond * bytes * secondsOfDay) / 1e12;
}
