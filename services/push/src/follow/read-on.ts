// Users who read on with one device: the others' badges and notifications are to follow. The word of it may be lost.
import { type ReadOn, subjects } from "@parley/protocol";
import { type Logger, type NatsConnection, parseJson, within } from "@parley/runtime";
import type { Told } from "./decide-jobs.ts";

/** Of what a user reads meanwhile one word goes out. */
const gatherMs = 1_000;
/** Of more the rest is left: the next notification has the right badge. */
const usersMax = 50_000;
const closeWaitMs = 2_000;

type Read = ReadOn["reads"][number];

/** Follows until closed; `notify` is told of each user's last reading in a conversation. */
export function followReadOn(
  nats: NatsConnection,
  notify: (told: Told[]) => Promise<void>,
  log: Logger,
): { close(): Promise<void> } {
  const waiting = new Map<string, Read>();
  let timer: NodeJS.Timeout | undefined;
  let working: Promise<void> | undefined;

  async function tell(): Promise<void> {
    timer = undefined;
    const reads = [...waiting.values()];
    waiting.clear();
    const told = reads.map(
      ({ uid, conv, seq, clientId }): Told => ({
        what: { kind: "read", conv, seq, at: Date.now() },
        receivers: [{ uid }],
        exceptDevice: clientId,
      }),
    );
    await notify(told).catch((error: unknown) => log.debug({ event: "read_on_not_told", reason: String(error) }));
  }

  function hear({ reads }: ReadOn): void {
    for (const read of reads)
      if (waiting.size < usersMax || waiting.has(`${read.uid} ${read.conv}`))
        waiting.set(`${read.uid} ${read.conv}`, read);
    timer ??= setTimeout(() => {
      working = tell();
    }, gatherMs);
  }

  const subscription = nats.subscribe(subjects.readOn, {
    queue: "push",
    callback(error, message) {
      if (error) return log.warn({ event: "read_on_failed", reason: error.message });
      try {
        hear(parseJson(message.data) as ReadOn);
      } catch (thrown) {
        log.warn({ event: "read_on_refused", reason: String(thrown) });
      }
    },
  });
  return {
    async close() {
      subscription.unsubscribe();
      clearTimeout(timer);
      await within(closeWaitMs, Promise.resolve(working));
    },
  };
}
