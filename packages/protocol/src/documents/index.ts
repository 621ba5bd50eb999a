// The documents generated from the one contract: HTTP as OpenAPI 3.1, MQTT as AsyncAPI 3, both as a page for people.
export { asyncApiDocument } from "./async-api.ts";
export type { Json, JsonDocument } from "./json-document.ts";
export { methodsPage } from "./methods-page.ts";
export { openApiDocument } from "./open-api.ts";
