// How a broker session is given copies.
import type { Unheard } from "@parley/runtime";

/** Of one session. Resolves with those of the topics that nobody subscribes, when the broker has the copies; rejects when the session ended. */
export type Publish = (topics: readonly string[], payload: Uint8Array) => Promise<Unheard>;
