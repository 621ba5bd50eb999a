// Native topics of users whose devices all have trees: nobody subscribes them, and the broker says so of each copy. What is said to
// such a topic right behind that is kept back for a moment, and one copy asks for all of it: it is published only where by then
// somebody is there. So a device that subscribes is sent all that was said since, in its order, a moment late at most.

export interface UnheardTopics {
  /** Those of the topics that the payload is to be published on now; for the others it is kept back. */
  keepBack(topics: readonly string[], payload: Uint8Array): readonly string[];
  /** The broker said that nobody subscribes these. */
  note(topics: readonly string[]): void;
  /** Is so much kept back that whoever sends is to wait? */
  isFull(): boolean;
  /** Resolves when the broker has answered what it is asked by now. */
  answered(): Promise<unknown>;
  /** Publishes what is kept back: nothing more comes. */
  release(): void;
}

export interface UnheardParts {
  /** Resolves with those of the topics that nobody subscribes, when the broker has the copies; rejects when the session ended. */
  publish(topics: readonly string[], payload: Uint8Array): Promise<readonly string[] | undefined>;
  /** May copies for this topic be kept back? */
  isQuiet(topic: string): boolean;
  /** how long a copy is kept back at most, besides the time that the broker takes to answer */
  keptMs?: number;
}

interface Quiet {
  /** performance.now(): from then on the broker is asked again */
  until: number;
  kept: Uint8Array[];
  asking: Promise<void> | undefined;
  timer: NodeJS.Timeout | undefined;
}

const topicsMax = 10_000;
/** of all topics together: whoever sends more waits until the broker has answered */
const bytesMax = 16 * 1024 * 1024;

export function openUnheard({ publish, isQuiet, keptMs = 200 }: UnheardParts): UnheardTopics {
  const quiet = new Map<string, Quiet>();
  let bytes = 0;

  /** False: it is to be published as any. */
  function keep(topic: string, one: Quiet, payload: Uint8Array): boolean {
    const isBehind = one.asking !== undefined || one.kept.length > 0;
    if (!isBehind && (performance.now() >= one.until || bytes >= bytesMax)) {
      quiet.delete(topic);
      return false;
    }
    one.kept.push(payload);
    bytes += payload.byteLength;
    if (one.asking === undefined) askLater(topic, one);
    return true;
  }

  function askLater(topic: string, one: Quiet): void {
    const waitMs = bytes >= bytesMax ? 0 : Math.max(0, one.until - performance.now());
    one.timer ??= setTimeout(() => {
      one.timer = undefined;
      one.asking = ask(topic, one);
    }, waitMs);
  }

  // Of what was said before it asks: whoever comes behind the answer was not there for it.
  async function ask(topic: string, one: Quiet): Promise<void> {
    const [first, ...others] = take(one);
    if (first === undefined) return;
    const unheard = await publish([topic], first).catch(() => undefined);
    one.asking = undefined;
    if (unheard !== undefined) {
      one.until = performance.now() + keptMs;
      if (one.kept.length > 0) askLater(topic, one);
      return;
    }
    quiet.delete(topic);
    publishAll(topic, [...others, ...take(one)]);
  }

  function take(one: Quiet): Uint8Array[] {
    const { kept } = one;
    one.kept = [];
    for (const payload of kept) bytes -= payload.byteLength;
    return kept;
  }

  function publishAll(topic: string, payloads: readonly Uint8Array[]): void {
    for (const payload of payloads) void publish([topic], payload).catch(() => undefined);
  }

  function forgetOld(): void {
    for (const [topic, { asking, kept }] of quiet) if (asking === undefined && kept.length === 0) quiet.delete(topic);
  }

  return {
    keepBack(topics, payload) {
      // As a rule there is none.
      if (quiet.size === 0) return topics;
      return topics.filter((topic) => {
        const one = quiet.get(topic);
        return one === undefined || !keep(topic, one, payload);
      });
    },
    note(topics) {
      if (quiet.size >= topicsMax) forgetOld();
      for (const topic of topics)
        if (quiet.size < topicsMax && !quiet.has(topic) && isQuiet(topic))
          quiet.set(topic, { until: performance.now() + keptMs, kept: [], asking: undefined, timer: undefined });
    },
    isFull: () => bytes >= bytesMax,
    answered: () => Promise.all([...quiet.values()].map(({ asking }) => asking)),
    release() {
      for (const [topic, one] of quiet) {
        clearTimeout(one.timer);
        publishAll(topic, take(one));
      }
      quiet.clear();
    },
  };
}
