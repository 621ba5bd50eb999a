// The SQLite engine passes the suites of its ports.
import { documentsConformance, messageLogConformance, searchIndexConformance } from "../conformance/index.ts";
import { openEngine } from "./open-engine.ts";

messageLogConformance("SQLite", openEngine);
documentsConformance("SQLite", openEngine);
searchIndexConformance("SQLite", openEngine);
