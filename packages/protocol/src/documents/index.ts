// The documents generated from the one contract: HTTP as OpenAPI 3.1, MQTT as AsyncAPI 3.
export { asyncApiDocument } from "./async-api.ts";
export type { Json, JsonDocument } from "./json-document.ts";
export { openApiDocument } from "./open-api.ts";
