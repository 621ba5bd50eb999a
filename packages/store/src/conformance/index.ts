// The conformance suites: what every engine of a port must do. An engine's test file calls them.
export { type BlobsUnderTest, blobsConformance, type OpenBlobs } from "./blobs.ts";
export { documentsConformance } from "./documents.ts";
export { type EngineUnderTest, engineUnderTest, type OpenEngine } from "./engine.ts";
export { messageLogConformance } from "./message-log.ts";
export { searchIndexConformance } from "./search-index.ts";
