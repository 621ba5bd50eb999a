// All that two people of Parley's own protocol find out about a broker, in the order of the table.
import type { Case } from "./case.ts";
import { doors } from "./doors.ts";
import { native } from "./native.ts";
import type { World } from "./world.ts";

export const nativeCases: readonly Case<World>[] = [...doors, ...native];
