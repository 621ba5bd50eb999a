// The table of engines: a new one is a folder and a line here.
import type { Engine } from "./engine.ts";
import { mongo } from "./mongo/engine.ts";
import { sqlite } from "./sqlite/engine.ts";
import { StoreError } from "./store-error.ts";

const engines: readonly Engine[] = [sqlite, mongo];

/** The engine that keeps the store of this URL. Throws `invalid_url`. */
export function engineOf(url: string): Engine {
  const engine = engines.find((one) => one.takes(url));
  if (engine) return engine;
  // The URL may hold a password: only its scheme is shown.
  const known = engines.map(({ urls }) => urls).join(" or ");
  throw new StoreError("invalid_url", `a store's URL is ${known}, not ${scheme(url)}`);
}

/** The services that have something in the store of this URL; looking makes nothing. */
export async function listServices(url: string): Promise<string[]> {
  return engineOf(url).listServices(url);
}

function scheme(url: string): string {
  const [, name] = /^([a-z][a-z0-9+.-]*:)/i.exec(url) ?? [];
  return name === undefined ? "a text without a scheme" : `${name}…`;
}
