// The SQLite engine passes the suites of its ports.
import { documentsConformance, messageLogConformance, searchIndexConformance } from "../conformance/index.ts";
import { openEngine, openIndexing } from "./open-engine.ts";

messageLogConformance("SQLite", openEngine);
messageLogConformance("SQLite while it writes the index", openIndexing);
documentsConformance("SQLite", openEngine);
searchIndexConformance("SQLite", openEngine);
