// Writes the tables of docs/operations.md; a test fails when they are not what this writes.
import { writeFileSync } from "node:fs";
import { readOperations } from "./operations.ts";

const { path, wanted } = readOperations();
writeFileSync(path, wanted);
