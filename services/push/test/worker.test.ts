import assert from "node:assert/strict";
import { test } from "node:test";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { type PushJob, pushSubject } from "@parley/protocol";
import { connectNats } from "@parley/runtime";
import { eventually, serviceContext, startServers } from "@parley/testkit";
import { ensurePushStream } from "../src/queue/stream.ts";
import type { Prepared } from "../src/work/prepare.ts";
import { startWorker } from "../src/work/worker.ts";

const hanging = 960;
const quick = 10_000;

test("notifications that hang keep nothing of those that are sent beside them", async (t) => {
  const { nats: server } = await startServers(t, { nats: true });
  const { log } = serviceContext("push");
  const nats = await connectNats({ url: server.url, name: "test", log });
  t.after(() => nats.close());
  await ensurePushStream(await jetstreamManager(nats));
  const put = async (name: string, count: number) => {
    for (let from = 0; from < count; from += 500)
      await Promise.all(
        Array.from({ length: Math.min(500, count - from) }, (_, at) => {
          const job: PushJob = {
            kind: "message",
            token: `${name}${from + at}`,
            uid: "u",
            clientId: "c",
            at: Date.now(),
          };
          return jetstream(nats).publish(pushSubject("webpush"), JSON.stringify({ attempt: 0, jobs: [job] }));
        }),
      );
  };
  await put("hangs", hanging);
  await put("quick", quick);
  const hang = Promise.withResolvers<void>();
  t.after(() => hang.resolve());
  let sent = 0;
  let mostBytes = 0;
  const before = process.memoryUsage().heapUsed;
  const worker = startWorker({
    nats,
    provider: "webpush",
    breaker: { waitMs: () => 0, isTrying: () => false },
    prepare: async (jobs) => jobs.map((job): Prepared => ({ job, skip: "merged" })),
    async sendJobs([one]) {
      if (one!.job.token.startsWith("hangs")) return hang.promise;
      await new Promise(setImmediate);
      sent += 1;
      if (sent % 500 === 0) mostBytes = Math.max(mostBytes, process.memoryUsage().heapUsed - before);
    },
    pass: () => undefined,
    log,
  });
  t.after(() => worker.close());
  await eventually(() => sent === quick, { timeoutMs: 60_000 });
  assert.ok(mostBytes < 128 * 2 ** 20, `${Math.round(mostBytes / 2 ** 20)} MiB`);
});
