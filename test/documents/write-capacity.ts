// Writes the tables of docs/capacity.md; a test fails when they are not what this writes.
import { writeFileSync } from "node:fs";
import { readCapacity } from "./capacity.ts";

const { path, wanted } = readCapacity();
writeFileSync(path, wanted);
