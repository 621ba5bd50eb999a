// Constants that the stored data depends on: written once, compared at every open.
import { StoreError } from "./store-error.ts";

export type Facts = Readonly<Record<string, number>>;

/** Answers the facts that are not stored yet. Throws `mismatch` for one that is stored with another value. */
export function checkFacts(stored: Facts, wanted: Facts, place: string): Facts {
  const added: Record<string, number> = {};
  for (const [name, value] of Object.entries(wanted)) {
    if (!/^[a-zA-Z]\w{0,62}$/.test(name)) throw new TypeError(`a fact's name is letters and digits, not ${name}`);
    const known = Object.hasOwn(stored, name) ? stored[name] : undefined;
    if (known === undefined) added[name] = value;
    else if (known !== value) {
      const message = `${place}: written with ${name} ${known}, this Parley has ${value}; it is left as it is, start the Parley that wrote it`;
      throw new StoreError("mismatch", message, { details: { name, stored: known, wanted: value } });
    }
  }
  return added;
}
