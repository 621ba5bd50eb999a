import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { contentKinds, refuseContent } from "@parley/protocol";
import { dialects } from "@parley/protocol/dialects";
import { contents } from "./interoperation/examples.ts";
import { listeners } from "./interoperation/listeners.ts";
import { hearAll, interoperationPage } from "./interoperation/page.ts";

const heard = await hearAll();

test("docs/interoperation.md says what the dialects do (else: node test/documents/write-interoperation.ts)", () => {
  const written = readFileSync(join(import.meta.dirname, "../../docs/interoperation.md"), "utf8");
  const made = interoperationPage(heard);
  // One line says enough: the page has hundreds.
  const lines = made.split("\n");
  const differs = written.split("\n").findIndex((line, at) => line !== lines[at]);
  assert.equal(written.split("\n")[differs], lines[differs]);
  assert.equal(written.length, made.length);
});

test("it has a device of every dialect, and the examples are what users may send", () => {
  assert.deepEqual(listeners.map(({ name }) => name).sort(), ["native", ...dialects.map(({ name }) => name)].sort());
  assert.deepEqual(Object.keys(contents), Object.keys(contentKinds));
  for (const content of Object.values(contents)) assert.equal(refuseContent({ content }), undefined);
});

// Its recall stands behind it, and says so.
const saidBehind = ["mqtt-chat: erased"];

test("every message reaches a device of every dialect: what has no word becomes text", () => {
  const silent = heard.filter(({ said, packet }) => said.length === 0 && packet?.content);
  const isDirect = ({ packet, listener }: (typeof heard)[number]) =>
    listener.name === "chatroom" && `${packet?.conv}`.startsWith("p2p/");
  assert.deepEqual(
    silent.filter((one) => !isDirect(one)).map(({ title, listener }) => `${listener.name}: ${title}`),
    saidBehind,
  );
});

test("an invitation and a refusal of a native packet are told in every dialect that has a place for them", () => {
  const hear = (title: string) =>
    heard.filter((one) => one.title === title && one.said.length > 0).map(({ listener }) => listener.name);
  const all = listeners.map(({ name }) => name);
  assert.deepEqual(hear("a refusal of a native packet of the device"), all);
  assert.deepEqual(
    hear("an invitation to a room"),
    all.filter((name) => name !== "chatroom"),
  );
});

test("what is said with a file, and what it is called, reaches a device of every dialect", () => {
  const images = heard.filter(({ title }) => title === "image");
  const shown = images.map(({ listener, said }) => said.map((one) => listener.show(one, "whole")).join(" "));
  assert.equal(shown.length, listeners.length);
  for (const words of shown) assert.match(words, /cat\.png.*my cat|my cat.*cat\.png/s);
});
