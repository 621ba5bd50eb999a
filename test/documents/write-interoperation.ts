// Writes docs/interoperation.md; a test fails when it is not what this writes.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { hearAll, interoperationPage } from "./interoperation/page.ts";

writeFileSync(join(import.meta.dirname, "../../docs/interoperation.md"), interoperationPage(await hearAll()));
