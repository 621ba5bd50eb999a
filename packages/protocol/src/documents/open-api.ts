// OpenAPI 3.1 of the HTTP side, made from the table of methods and the table of errors.
import type { TObject, TSchema } from "typebox";
import { type ErrorCode, errorTable } from "../errors.ts";
import { type Access, type Method, methods } from "../methods/index.ts";
import { attachmentPathItems, attachmentsTag } from "./attachment-paths.ts";
import { exportPathItems } from "./export-path.ts";
import { documentVersion, type Json, type JsonDocument, namedSchemas, schemaJson } from "./json-document.ts";
import { errorContent, everywhere, jsonContent, responsesOf } from "./responses.ts";
import { uploadPathItems } from "./upload-paths.ts";

const description = [
  "Every method of Parley over HTTP. The same methods, but for those about accounts and keys, are MQTT requests too:",
  'see the AsyncAPI document. Errors are `{"error":{code,message}}`.',
  "A request that changes something may carry an `Idempotency-Key`; sent again within 24 hours it is done once.",
].join("\n");

const security: Record<Access, Json> = {
  user: [{ userToken: [] }],
  key: [{ serverKey: [] }],
  operator: [{ servicesSecret: [] }],
  public: [],
};

/** An Idempotency-Key that was used for another request. */
const ofChanges: ErrorCode[] = ["conflict"];

/** The whole document, as plain JSON. */
export function openApiDocument(): JsonDocument {
  const paths: { [path: string]: { [verb: string]: Json } } = {};
  for (const method of methods.values()) {
    const path = paths[method.http.path] ?? {};
    path[method.http.verb.toLowerCase()] = operation(method);
    paths[method.http.path] = path;
  }
  Object.assign(paths, attachmentPathItems(), uploadPathItems(), exportPathItems());
  return {
    openapi: "3.1.0",
    info: {
      title: "Parley",
      version: documentVersion,
      description,
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
    tags: [...new Set([...[...methods.values()].map(tagOf), attachmentsTag])].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: securitySchemes(),
      schemas: { Error: errorSchema(), ...namedSchemas(paths) },
    },
  };
}

function operation(method: Method<TObject, TSchema>): Json {
  const { name, summary, access, http, changes, params } = method;
  const inPath = [...http.path.matchAll(/\{(\w+)\}/g)].map(([, field = ""]) => field);
  const byBody = http.verb === "POST" || http.verb === "PUT";
  const fields = Object.entries(params.properties as Record<string, TSchema>);
  const rest = fields.filter(([field]) => !inPath.includes(field));
  const pathParameters = fields
    .filter(([field]) => inPath.includes(field))
    .map(([field, schema]) => ({ name: field, in: "path", required: true, schema: schemaJson(schema) }));
  const queryParameters = byBody ? [] : rest.map(([field, schema]) => queryParameter(field, schema, params));
  const parameters = [...pathParameters, ...queryParameters, ...(changes ? [idempotencyKey] : [])];
  return {
    operationId: name,
    summary,
    tags: [tagOf(method)],
    security: name === "messages.send" ? [{ userToken: [] }, { serverKey: [] }] : security[access],
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(byBody && rest.length > 0 ? { requestBody: requestBody(params, inPath) } : {}),
    responses: {
      "200": { description: "the result", content: jsonContent(schemaJson(method.result)) },
      ...errorResponses(method),
    },
  };
}

const idempotencyKey: Json = {
  name: "Idempotency-Key",
  in: "header",
  schema: { type: "string", pattern: "^[!-~]{1,128}$" },
  description: "makes it safe to send the request again, for 24 hours",
};

function queryParameter(name: string, schema: TSchema, { required }: TObject): Json {
  return { name, in: "query", required: required?.includes(name) ?? false, schema: schemaJson(schema) };
}

function requestBody(params: TObject, inPath: readonly string[]): Json {
  const { properties, required, ...rest } = schemaJson(params) as JsonDocument;
  const kept = Object.entries(properties as JsonDocument).filter(([field]) => !inPath.includes(field));
  const requiredHere = ((required ?? []) as string[]).filter((field) => !inPath.includes(field));
  const schema = {
    ...rest,
    properties: Object.fromEntries(kept),
    ...(requiredHere.length > 0 ? { required: requiredHere } : {}),
  };
  return { required: requiredHere.length > 0, content: jsonContent(schema) };
}

function errorResponses({ errors, access, changes, http: { verb } }: Method<TObject, TSchema>): JsonDocument {
  const byAccess: ErrorCode[] = access === "public" ? [] : ["unauthenticated", "forbidden"];
  const bodyOf = verb === "POST" || verb === "PUT" ? { "415": unsupportedBody } : {};
  return { ...responsesOf([...errors, ...byAccess, ...(changes ? ofChanges : []), ...everywhere]), ...bodyOf };
}

const unsupportedBody: Json = {
  description: "`invalid_packet`: the body is not application/json",
  content: errorContent,
};

function errorSchema(): Json {
  return {
    type: "object",
    required: ["error"],
    properties: {
      error: {
        type: "object",
        required: ["code", "message"],
        properties: {
          code: { type: "string", enum: Object.keys(errorTable) },
          message: { type: "string" },
          details: { type: "object" },
        },
      },
    },
  };
}

function securitySchemes(): Json {
  const bearer = (text: string) => ({ type: "http", scheme: "bearer", description: text });
  return {
    userToken: bearer("the `token` of a login"),
    serverKey: bearer("a server key, `pk_…`"),
    servicesSecret: bearer("the services' secret: for the operator"),
  };
}

function tagOf({ name, http }: { name: string; http: { path: string } }): string {
  return name.includes(".") ? (name.split(".", 1)[0] as string) : http.path === "/sync" ? "history" : "account";
}
