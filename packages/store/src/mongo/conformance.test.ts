// The MongoDB engine passes the suites of both ports.
import { hasMongo } from "@parley/testkit";
import { documentsConformance, messageLogConformance } from "../conformance/index.ts";
import { openEngine } from "./open-engine.ts";

if (hasMongo()) {
  messageLogConformance("MongoDB", openEngine);
  documentsConformance("MongoDB", openEngine);
}
