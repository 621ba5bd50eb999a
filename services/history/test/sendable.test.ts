// Messages that refer to files: history asks api whether their senders may send them, and only that.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type AppendItem, type AppendOutcome, type Sendable, type SendableRequest, subjects } from "@parley/protocol";
import { answerJson } from "@parley/runtime";
import { eventually } from "@parley/testkit";
import { startTestHistory } from "./surroundings.ts";

const fileId = (letter: string) => `f-${letter.repeat(32)}`;
const conv = "p2p/ann/bob";

async function begin(t: TestContext) {
  const history = await startTestHistory(t);
  await history.say("ann", "bob", "first");
  /** what api was asked, request by request */
  const asked: SendableRequest["asked"][] = [];
  const answers = new Map<string, Sendable>();
  const serve = () =>
    answerJson<SendableRequest>(history.nats, subjects.attachmentsSendable, "api", (request) => {
      asked.push(request.asked);
      return { answers: request.asked.map(({ file }) => answers.get(file) ?? "no") };
    });
  const withFile = (id: string, file: string): AppendItem =>
    history.item("ann", conv, id, { type: "file", file, mustHaveFile: true });
  const send = async (...items: AppendItem[]) => (await history.append(...items)).map(codeOf);
  return { history, asked, answers, serve, withFile, send };
}

function codeOf(outcome: AppendOutcome): string {
  if ("error" in outcome) return outcome.error.code;
  return outcome.duplicate ? "duplicate" : "stored";
}

test("a message with a file that its sender may not send is refused by the file's name and not stored; others beside it are", async (t) => {
  const { history, asked, answers, serve, withFile, send } = await begin(t);
  serve();
  answers.set(fileId("a"), "yes").set(fileId("c"), "unfinished");
  const text = history.item("ann", conv, "text");
  const elsewhere = history.item("ann", conv, "far", { type: "file", file: fileId("d") });
  const items = [withFile("1", fileId("a")), withFile("2", fileId("b")), withFile("3", fileId("c")), text, elsewhere];
  const outcomes = await history.append(...items);
  assert.deepEqual(outcomes.map(codeOf), ["stored", "not_found", "conflict", "stored", "stored"]);
  const refused = outcomes[1] as Extract<AppendOutcome, { error: object }>;
  assert.match(refused.error.message, new RegExp(fileId("b")));
  assert.deepEqual(refused.error.details, { file: fileId("b") });
  // All of them at once, and nothing for what has no file.
  assert.deepEqual(asked, [["a", "b", "c"].map((letter) => ({ file: fileId(letter), uid: "ann" }))]);
  assert.deepEqual(await send(history.item("ann", conv, "text 2")), ["stored"]);
  assert.equal(asked.length, 1);
});

test("while api cannot say, a message with a file is unavailable and no other; sent again later it is stored, once", async (t) => {
  const { history, answers, serve, withFile, send } = await begin(t);
  assert.deepEqual(await send(withFile("1", fileId("a")), history.item("ann", conv, "text")), [
    "unavailable",
    "stored",
  ]);
  answers.set(fileId("a"), "yes");
  serve();
  await eventually(async () => (await send(withFile("1", fileId("a"))))[0] !== "unavailable");
  assert.deepEqual(await send(withFile("1", fileId("a"))), ["duplicate"]);
});

test("a message that was stored is answered as stored, though its file is gone, and though api is away", async (t) => {
  const { history, answers, serve, withFile, send } = await begin(t);
  answers.set(fileId("a"), "yes");
  const served = serve();
  assert.deepEqual(await send(withFile("1", fileId("a"))), ["stored"]);
  answers.clear();
  // A history that remembers nothing of it.
  await history.restart();
  assert.deepEqual(await send(withFile("1", fileId("a")), withFile("2", fileId("a"))), ["duplicate", "not_found"]);
  await served.close();
  assert.deepEqual(await send(withFile("1", fileId("a")), withFile("3", fileId("a"))), ["duplicate", "unavailable"]);
});
