/** Services that keep only what they make again of the log: their part of a store is neither copied nor backed up. */
export const derivedServices: ReadonlySet<string> = new Set(["search"]);
