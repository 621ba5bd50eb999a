import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { AppError, compactSubject } from "@parley/protocol";
import { eventually, startServers } from "@parley/testkit";
import { recordingLogger } from "../../test/recorder.ts";
import { connectNats } from "../connections/nats.ts";
import { answerCompact, requestCompact } from "./answer-compact.ts";
import { requestJson } from "./request.ts";

async function start(t: TestContext) {
  const { nats: server } = await startServers(t, { nats: true });
  const { log } = recordingLogger();
  const nats = await connectNats({ url: server.url, name: "test", log });
  t.after(() => nats.close());
  const runs: PromiseWithResolvers<void>[] = [];
  const compact = () => {
    const run = Promise.withResolvers<void>();
    runs.push(run);
    return run.promise;
  };
  answerCompact(nats, { service: "x", compact, answerMs: 20, log });
  const begun = (count: number) => eventually(() => runs.length === count);
  const ask = (isWanted = () => true) => requestCompact(nats, "x", isWanted);
  const asked = (run?: string) =>
    requestJson<{ run?: string }>(nats, compactSubject("x"), run === undefined ? {} : { run }, { timeoutMs: 5_000 });
  return { runs, begun, ask, asked };
}

test("all who ask while a run is under way share one that begins behind it, however long it takes", async (t) => {
  const { runs, begun, ask, asked } = await start(t);
  const first = ask();
  await begun(1);
  const { run } = await asked();
  let ended = 0;
  const others = [ask(), ask(), ask()].map((one) => one.then(() => ended++));
  assert.deepEqual(await asked(run), { run }, "many answers later it is the same one");
  assert.equal((await asked()).run, run);
  runs[0]!.resolve();
  await first;
  await begun(2);
  assert.deepEqual([await asked(run), ended], [{ run }, 0]);
  runs[1]!.resolve();
  await Promise.all(others);
  assert.deepEqual([await asked(run), runs.length, ended], [{}, 2, 3]);
});

test("who asked for a run that fails is told so, and the next one is made", async (t) => {
  const { runs, begun, ask, asked } = await start(t);
  const failing = assert.rejects(ask(), { code: "unavailable" });
  await begun(1);
  const next = ask();
  const { run } = await asked();
  assert.ok(run);
  runs[0]!.reject(new AppError("unavailable"));
  await failing;
  await begun(2);
  runs[1]!.resolve();
  await next;
});

test("whoever stops asks no longer", async (t) => {
  const { begun, ask } = await start(t);
  let isWanted = true;
  const stopped = assert.rejects(
    ask(() => isWanted),
    { code: "unavailable" },
  );
  await begun(1);
  isWanted = false;
  await stopped;
});
