// Writes the examples of docs/push.md; a test fails when they are not what this writes.
import { writeFileSync } from "node:fs";
import { readNotifications } from "./notifications.ts";

const { path, wanted } = readNotifications();
writeFileSync(path, wanted);
