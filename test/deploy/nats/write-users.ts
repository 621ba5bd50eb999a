// Writes deploy/nats/users.conf.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { usersFile } from "./users.ts";

writeFileSync(join(import.meta.dirname, "../../../deploy/nats/users.conf"), usersFile());
