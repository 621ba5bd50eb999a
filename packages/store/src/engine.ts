// What an engine is: a folder beside this file that opens stores of one kind of URL.
import type { Facts } from "./facts.ts";
import type { Store } from "./store.ts";

export interface Engine {
  /** What its URLs look like, for messages. */
  readonly urls: string;
  /** True for a URL of this engine. */
  takes(url: string): boolean;
  open(url: string, options: EngineOptions): Promise<Store>;
  /** The services that have something in the store; looking makes nothing. */
  listServices(url: string): Promise<string[]>;
  /** Tells two stores apart, whatever their URLs look like; without a password, so that it may be shown and kept. */
  identityOf(url: string): Promise<string>;
  /** The BLOBS_URL of a service's blobs beside its store. */
  blobsUrl(url: string, service: string): string;
}

export interface EngineOptions {
  service: string;
  lockWaitMs: number;
  facts: Facts;
}
