// YAML files, read strictly: a key that stands twice is a fault.
import { readFileSync } from "node:fs";
import { parseAllDocuments } from "yaml";

/** The documents of one file. */
export function readYaml(file: string): unknown[] {
  return parseAllDocuments(readFileSync(file, "utf8")).map((document) => {
    const [fault] = [...document.errors, ...document.warnings];
    if (fault) throw new Error(`${file}: ${fault.message}`);
    return document.toJS();
  });
}
