// Native topics of users whose devices all have trees: nobody subscribes them, and the broker says so of each copy. What is said to
// such a topic right behind that is kept back for a moment, and one copy asks for all of it: it is published only where by then
// somebody is there. So a device that subscribes is sent all that was said since, in its order, a moment late at most. All sessions
// of a router share this: of one conversation now one, now another has the next message.
import type { Publish } from "../direct/publish.ts";

export interface UnheardTopics {
  /** Takes what is kept back, or goes out on another session behind what was. `topics`: those that are left to be published on now. */
  keepBack(topics: readonly string[], payload: Uint8Array, publish: Publish): Left;
  /** The broker said that nobody subscribes these. */
  note(topics: readonly string[]): void;
  /** Is so much kept back that whoever sends is to wait? */
  isFull(): boolean;
  /** Asks for all that is kept back. Resolves when the broker has answered. */
  answered(): Promise<unknown>;
  /** Nothing more comes of this session: what is kept back of it goes out, or nobody hears it. Resolves when the broker has answered. */
  release(publish: Publish): Promise<unknown>;
}

export interface Left {
  topics: readonly string[];
  /** resolves when the broker has what goes out on another session */
  elsewhere?: Promise<unknown>;
}

export interface UnheardParts {
  /** May copies for this topic be kept back? */
  isQuiet(topic: string): boolean;
  /** how long a copy is kept back at most, besides the time that the broker takes to answer */
  keptMs?: number;
}

interface Kept {
  payload: Uint8Array;
  publish: Publish;
}

interface Quiet {
  /** performance.now(): from then on the broker is asked again */
  until: number;
  kept: Kept[];
  asking: Promise<void> | undefined;
  timer: NodeJS.Timeout | undefined;
  /** somebody is there: all goes out on this session until the broker has what was kept back */
  through: Publish | undefined;
  /** on that one */
  underWay: number;
}

const topicsMax = 100_000;
/** of all topics together: whoever sends more waits until the broker has answered */
const bytesMax = 16 * 1024 * 1024;

export function openUnheard({ isQuiet, keptMs = 200 }: UnheardParts): UnheardTopics {
  return new Topics(isQuiet, keptMs);
}

class Topics implements UnheardTopics {
  readonly #isQuiet: UnheardParts["isQuiet"];
  readonly #keptMs: number;
  readonly #quiet = new Map<string, Quiet>();
  #bytes = 0;

  constructor(isQuiet: UnheardParts["isQuiet"], keptMs: number) {
    this.#isQuiet = isQuiet;
    this.#keptMs = keptMs;
  }

  keepBack(topics: readonly string[], payload: Uint8Array, publish: Publish): Left {
    // As a rule there is none.
    if (this.#quiet.size === 0) return { topics };
    const elsewhere: Promise<unknown>[] = [];
    const left = topics.filter((topic) => {
      const one = this.#quiet.get(topic);
      if (one === undefined) return true;
      if (one.through === undefined) return !this.#keep(topic, one, { payload, publish });
      elsewhere.push(this.#sendThrough(topic, one, { payload, publish }));
      return false;
    });
    return { topics: left, ...(elsewhere.length > 0 && { elsewhere: Promise.all(elsewhere) }) };
  }

  note(topics: readonly string[]): void {
    const quiet = this.#quiet;
    if (quiet.size >= topicsMax) this.#forgetOld();
    for (const topic of topics)
      if (quiet.size < topicsMax && !quiet.has(topic) && this.#isQuiet(topic)) quiet.set(topic, this.#quietNow());
  }

  isFull(): boolean {
    return this.#bytes >= bytesMax;
  }

  answered(): Promise<unknown> {
    return Promise.all([...this.#quiet].map(([topic, one]) => this.#askNow(topic, one)));
  }

  release(publish: Publish): Promise<unknown> {
    return Promise.all([...this.#quiet].map(([topic, one]) => this.#finish(topic, one, publish)));
  }

  #quietNow(): Quiet {
    const until = performance.now() + this.#keptMs;
    return { until, kept: [], asking: undefined, timer: undefined, through: undefined, underWay: 0 };
  }

  /** False: it is to be published as any. */
  #keep(topic: string, one: Quiet, kept: Kept): boolean {
    const isBehind = one.asking !== undefined || one.kept.length > 0;
    if (!isBehind && (performance.now() >= one.until || this.isFull())) {
      this.#quiet.delete(topic);
      return false;
    }
    one.kept.push(kept);
    this.#bytes += kept.payload.byteLength;
    if (one.asking === undefined) this.#askLater(topic, one);
    return true;
  }

  #askLater(topic: string, one: Quiet): void {
    const waitMs = Math.max(0, one.until - performance.now());
    one.timer ??= setTimeout(() => void this.#askNow(topic, one), waitMs);
  }

  #askNow(topic: string, one: Quiet): Promise<void> | undefined {
    clearTimeout(one.timer);
    one.timer = undefined;
    if (one.asking === undefined && one.kept.length > 0) one.asking = this.#ask(topic, one);
    return one.asking;
  }

  // Of what was said before it asks: whoever comes behind the answer was not there for it.
  async #ask(topic: string, one: Quiet): Promise<void> {
    const asked = this.#take(one);
    const heard = await askFor(topic, asked);
    one.asking = undefined;
    if (heard === "nobody") {
      one.until = performance.now() + this.#keptMs;
      if (one.kept.length > 0) this.#askLater(topic, one);
      return;
    }
    const others = [...asked.slice(1), ...this.#take(one)];
    one.through = heard ?? others.at(-1)?.publish;
    one.underWay = 1;
    for (const kept of others) this.#sendThrough(topic, one, kept).catch(() => undefined);
    this.#arrived(topic, one);
  }

  async #sendThrough(topic: string, one: Quiet, { payload, publish }: Kept): Promise<void> {
    const { through = publish } = one;
    one.underWay += 1;
    try {
      await through([topic], payload).catch((error) => {
        if (through === publish) throw error;
        return publish([topic], payload);
      });
    } finally {
      this.#arrived(topic, one);
    }
  }

  #arrived(topic: string, one: Quiet): void {
    one.underWay -= 1;
    if (one.underWay === 0 && this.#quiet.get(topic) === one) this.#quiet.delete(topic);
  }

  async #finish(topic: string, one: Quiet, publish: Publish): Promise<void> {
    await one.asking;
    while (one.kept.some((kept) => kept.publish === publish)) await this.#askNow(topic, one);
  }

  #take(one: Quiet): Kept[] {
    const { kept } = one;
    one.kept = [];
    for (const { payload } of kept) this.#bytes -= payload.byteLength;
    return kept;
  }

  #forgetOld(): void {
    for (const [topic, { asking, kept, underWay }] of this.#quiet)
      if (asking === undefined && kept.length === 0 && underWay === 0) this.#quiet.delete(topic);
  }
}

/** By the first of the copies: the session on which somebody heard it; undefined: all of theirs ended. */
async function askFor(topic: string, asked: readonly Kept[]): Promise<Publish | "nobody" | undefined> {
  const [first] = asked;
  if (first === undefined) return "nobody";
  for (const publish of new Set(asked.map((one) => one.publish)))
    try {
      return (await publish([topic], first.payload)) === undefined ? publish : "nobody";
    } catch {}
  return undefined;
}
