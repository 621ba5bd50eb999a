// How a device's user is there, as the device says it. Whoever connects is online: whatever was said before the connection, and not what was said on it.
import type { Tree } from "../trees.ts";
import type { Parley } from "./dialect.ts";

export interface OwnPresence {
  /** Rejects with the refusal. */
  say(show: "online" | "invisible"): Promise<unknown>;
  /** The device has connected, or is opened again while it is connected. */
  begin(): Promise<void>;
}

/** A device may be opened here again that has been connected for long. */
const justConnectedMs = 60_000;

export function openOwnPresence(tree: Tree, parley: Parley): OwnPresence {
  /** `connectedAt` of the connection on which it last said something */
  let saidOn: number | undefined;
  return {
    say(show) {
      saidOn = tree.connectedAt;
      return parley.state({ show });
    },
    async begin() {
      // Before the connection is known here, at 0, it said it on this one.
      if (saidOn === 0) saidOn = tree.connectedAt;
      const isNew = Date.now() - tree.connectedAt < justConnectedMs && saidOn !== tree.connectedAt;
      if (isNew) await parley.state({ show: "online" }).catch(() => undefined);
    },
  };
}
