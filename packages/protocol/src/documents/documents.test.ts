import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { Validator } from "@seriousme/openapi-schema-validator";
import { methods } from "../methods/index.ts";
import { asyncApiDocument, methodsPage, openApiDocument } from "./index.ts";

const written = async (name: string) =>
  JSON.parse(await readFile(new URL(`../../../../docs/${name}`, import.meta.url), "utf8"));

test("docs/openapi.json, docs/asyncapi.json and docs/methods.md are what the contract generates (else: node packages/protocol/scripts/write-documents.ts)", async () => {
  assert.deepEqual(await written("openapi.json"), openApiDocument());
  assert.deepEqual(await written("asyncapi.json"), asyncApiDocument());
  assert.equal(await readFile(new URL("../../../../docs/methods.md", import.meta.url), "utf8"), methodsPage());
});

test("the OpenAPI document is valid OpenAPI 3.1 and has every method", async () => {
  const validator = new Validator();
  const { valid, errors } = await validator.validate(openApiDocument());
  assert.equal(valid, true, JSON.stringify(errors));
  assert.equal(validator.version, "3.1");
  const operations = Object.values(openApiDocument().paths as Record<string, Record<string, { operationId: string }>>)
    .flatMap((path) => Object.values(path))
    .map(({ operationId }) => operationId);
  const uploads = ["create", "append", "get", "head", "remove", "options"].map((name) => `attachments.uploads.${name}`);
  const ofOne = ["attachments.upload", "attachments.get", "attachments.thumbnail", "attachments.thumbnail.granted"];
  const files = [...ofOne, "attachments.upload.options", ...uploads];
  assert.deepEqual(operations.sort(), [...methods.keys(), ...files, "account.export"].sort());
});

test("every reference of both documents leads somewhere", () => {
  for (const document of [openApiDocument(), asyncApiDocument()]) {
    for (const [, path = ""] of JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)) {
      const target = path.split("/").reduce<unknown>((at, key) => (at as Record<string, unknown>)?.[key], document);
      assert.notEqual(target, undefined, path);
    }
  }
});

test("the AsyncAPI document has a request and an answer for every method that MQTT may call", () => {
  const { channels } = asyncApiDocument() as {
    channels: { rpc: { messages: object }; device: { messages: object } };
  };
  const named = (messages: object, kind: string) =>
    Object.keys(messages).flatMap((name) => (name.startsWith(`${kind}-`) ? [name.slice(kind.length + 1)] : []));
  const callable = [...methods.values()].filter(({ mqtt }) => mqtt).map(({ name }) => name);
  assert.deepEqual(named(channels.rpc.messages, "request"), callable);
  assert.deepEqual(named(channels.device.messages, "answer"), callable);
});
