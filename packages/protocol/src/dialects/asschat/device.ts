// What is known of one device while a router holds it.
import type { Tree } from "../../trees.ts";
import type { Parley } from "../dialect.ts";
import type { Channels } from "./channels.ts";
import type { Pending } from "./pending.ts";

export interface Device {
  readonly tree: Tree;
  readonly parley: Parley;
  readonly channels: Channels;
  readonly pending: Pending;
}
