// What a case of the table is.
import type { Case as AnyCase } from "@parley/cli/broker-check/case";
import type { World } from "./world.ts";

/** `about` says whose case it is: of a device's own tree, of Parley's own protocol (`native`), or of another. */
export interface Case extends AnyCase<World> {
  /** It needs a guest's login. */
  needsGuest?: true;
}
