// docs/capacity.md as it is, and as it would be with its tables reckoned now.
import { capacityTables } from "./capacity/tables.ts";
import { readMadePage } from "./made.ts";

export const readCapacity = () => readMadePage("capacity.md", capacityTables());
