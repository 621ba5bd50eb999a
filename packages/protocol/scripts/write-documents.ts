// Writes docs/openapi.json, docs/asyncapi.json and docs/methods.md from the contract; a test fails when they are not what this writes.
import { mkdir, writeFile } from "node:fs/promises";
import { asyncApiDocument, methodsPage, openApiDocument } from "../src/documents/index.ts";

const folder = new URL("../../../docs/", import.meta.url);

await mkdir(folder, { recursive: true });
await writeFile(new URL("openapi.json", folder), `${JSON.stringify(openApiDocument(), null, 2)}\n`);
await writeFile(new URL("asyncapi.json", folder), `${JSON.stringify(asyncApiDocument(), null, 2)}\n`);
await writeFile(new URL("methods.md", folder), methodsPage());
