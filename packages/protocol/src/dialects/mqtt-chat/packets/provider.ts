// What a kind of packet is: one file, and a row in ../providers.ts. It is found by the part of the topic behind the first `/`.
import type { Downlink, Published, Said } from "../../dialect.ts";
import type { Device } from "../device/device.ts";

/** A packet that the device published. */
export interface Addressed {
  /** what stands before the first `/`: a user or a group */
  id: string;
  packet: Published;
}

export interface Provider {
  /** Its spellings: of those that the device subscribed the first is used. */
  suffixes: readonly string[];
  /** The device published it. */
  take?(addressed: Addressed, device: Device): Promise<void>;
  /** What of Parley's packet is said in it. */
  render?(packet: Downlink, device: Device): readonly Said[] | Promise<readonly Said[]>;
  /** What is said, in this spelling, when a filter for it is subscribed. Rejects where nothing can be known. */
  retained?: {
    /** Of one user or group. */
    of(id: string, suffix: string, device: Device): Promise<readonly Said[]>;
    /** Of all that the device's user has to do with: the filter names nobody. */
    ofAll(suffix: string, device: Device): Promise<readonly Said[]>;
    /** All are answered by a few lists: of many that are named too. */
    inLists?: true;
  };
}
