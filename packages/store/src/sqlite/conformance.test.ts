// The SQLite engine passes the suites of both ports.
import { documentsConformance, messageLogConformance } from "../conformance/index.ts";
import { openEngine } from "./open-engine.ts";

messageLogConformance("SQLite", openEngine);
documentsConformance("SQLite", openEngine);
