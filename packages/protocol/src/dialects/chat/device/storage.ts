// What chat has of an account that Parley has no place for: tags, services, settings, what a Person says. Kept as the account's
// own, under one name.
import { AppError } from "../../../errors.ts";
import { storageGet, storageSet } from "../../../methods/storage.ts";
import type { Device } from "./device.ts";

export interface Stored {
  tags: StoredTag[];
  /** the number of the next tag */
  nextTag: number;
  settings: StoredFeature[];
  email: string;
  /** further fields of a Person, by name */
  person: Record<string, unknown>;
  /** where the operating system is told of messages, by client id */
  push: Record<string, { push: string; os: string }>;
}

export interface StoredTag {
  id: number;
  name: string;
  color: string;
}

export interface StoredFeature {
  id?: string | undefined;
  key?: string | undefined;
  value?: string | undefined;
  group?: string | undefined;
}

const name = "chat";
const attemptsMax = 5;

export async function readStored({ parley }: Device, as: string): Promise<Stored> {
  const { value } = await parley.call(storageGet, { name }, { as });
  return complete(value);
}

/** Changes what is kept, however many devices do at once. */
export async function changeStored<T>({ parley }: Device, as: string, change: (stored: Stored) => T): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const { value, version } = await parley.call(storageGet, { name }, { as });
    const stored = complete(value);
    const changed = change(stored);
    const kept = await parley.call(storageSet, { name, value: { ...stored }, version }, { as }).catch(AppError.from);
    if (!(kept instanceof AppError)) return changed;
    if (kept.code !== "conflict" || attempt === attemptsMax) throw kept;
  }
}

function complete(value: object | null): Stored {
  return { tags: [], nextTag: 1, settings: [], email: "", person: {}, push: {}, ...value };
}
