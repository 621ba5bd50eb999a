import assert from "node:assert/strict";
import { test } from "node:test";
import { AppError, messagesTopic } from "@parley/protocol";
import { createLogger, type PublishProperties, type Refusal, type WhenFull } from "@parley/runtime";
import { createSend } from "./send.ts";

const log = createLogger({ service: "test", level: "silent" });
const refusing = (...refused: Refusal[]) =>
  new AppError("unavailable", "refused", { details: { reason: "refused", refused } });

/** A session that answers each publish in turn; the last answer is also that of all that follow. */
function publishing(...answers: (AppError | undefined)[]) {
  const calls: { topics: readonly string[]; whenFull: WhenFull | undefined }[] = [];
  const session = {
    async publishMany(
      topics: readonly string[],
      _payload: Uint8Array,
      _qos: 0 | 1,
      _properties?: PublishProperties,
      whenFull?: WhenFull,
    ) {
      calls.push({ topics, whenFull });
      const answer = answers[Math.min(calls.length, answers.length) - 1];
      if (answer) throw answer;
      return undefined;
    },
  };
  const send = createSend(session, { offer: () => undefined, has: () => false }, log, { giveUpMs: 50, pauseMs: 5 });
  return { sendTo: (...users: string[]) => send.kept(Buffer.from("{}"), { users, devices: [] }), calls };
}

test("a copy that the broker refuses for now, as while a hook is away, is sent again; the others are not", async () => {
  const { sendTo, calls } = publishing(
    refusing({ topic: messagesTopic("b"), reasonCode: 0x87, final: false }),
    undefined,
  );
  await sendTo("a", "b");
  assert.deepEqual(
    calls.map(({ topics }) => topics),
    [["a", "b"].map(messagesTopic), [messagesTopic("b")]],
  );
});

test("a topic that is refused for long holds up nobody: it is tried once a message from then on, until it is taken", async () => {
  const { sendTo, calls } = publishing(refusing({ topic: messagesTopic("a"), reasonCode: 0x87, final: false }));
  await sendTo("a");
  assert.ok(calls.length > 1);
  const before = calls.length;
  await sendTo("a");
  assert.equal(calls.length, before + 1);
});

test("a packet that no broker would take is said and given up", async () => {
  const wrong = publishing(refusing({ topic: messagesTopic("a"), reasonCode: 0x90, final: true }));
  await wrong.sendTo("a");
  const large = publishing(new AppError("too_large", "larger than the broker takes"));
  await large.sendTo("a");
  assert.deepEqual([wrong.calls.length, large.calls.length], [1, 1]);
});

test("what the path publishes keeps its order: it is queued however full the queue is", async () => {
  const { sendTo, calls } = publishing(undefined);
  await sendTo("a");
  assert.equal(calls[0]?.whenFull, "wait");
});

test("when the session has ended the packet is left to the next one", async () => {
  const { sendTo } = publishing(new AppError("unavailable", "closed", { details: { reason: "closed" } }));
  await assert.rejects(sendTo("a"), { code: "unavailable" });
});
