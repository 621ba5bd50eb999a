// The MongoDB engine passes the suites of its ports.
import { hasMongo } from "@parley/testkit";
import { documentsConformance, messageLogConformance, searchIndexConformance } from "../conformance/index.ts";
import { openEngine } from "./open-engine.ts";

if (hasMongo()) {
  messageLogConformance("MongoDB", openEngine);
  documentsConformance("MongoDB", openEngine);
  searchIndexConformance("MongoDB", openEngine);
}
