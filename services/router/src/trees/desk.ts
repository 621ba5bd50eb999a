// One device with a tree, at the router that holds its partition: what it publishes goes to its dialect, what comes for it is said in
// its words.
import { AppError, isForNow, type Tree, type TreeRefusal, treeMountpoint } from "@parley/protocol";
import {
  type Dialect,
  dialectOf,
  type GuestTopics,
  type Marks,
  type Parley,
  type Published,
  type Said,
  type Speaker,
} from "@parley/protocol/dialects";
import type { Logger, ReceivedPacket } from "@parley/runtime";
import type { CatchUp } from "./catch-up.ts";
import { readFilters } from "./filters.ts";
import { type Line, openLine } from "./line.ts";
import { openLooking } from "./looking.ts";
import type { PortDevice } from "./port.ts";
import { publishedOf } from "./published.ts";
import { createTelling, type Offered } from "./telling.ts";

export interface Desk {
  readonly tree: Tree;
  /** The device published; `topic` as it wrote it. Resolves when nothing is left to do; rejects when the packet is to come again. */
  take(packet: ReceivedPacket, topic: string, will?: true): Promise<void>;
  /** It published what reached nobody. As `take`. */
  refused(refusal: TreeRefusal): Promise<void>;
  /** It said, on its native topic, whether anybody looks at it. */
  active(isActive: boolean): void;
  /** Behind what was offered before. */
  offer(offered: Offered): void;
  /** It came, or subscribed something else. */
  update(tree: Tree): void;
  /** Something for it may have been lost on the way here: that is found within `ms`. */
  missed(ms: number): void;
  /** Has it nothing to do? */
  isIdle(): boolean;
  close(): void;
}

export interface DeskParts {
  /** The port of a dialect, for this device. */
  portFor(device: PortDevice): Parley;
  /** What its dialect keeps of it. */
  marksOf(tree: Tree): Marks;
  guests: readonly GuestTopics[];
  /** Resolves when the broker has it, rejects when the session ended. */
  publish(topic: string, payload: Uint8Array, properties: Said["properties"]): Promise<void>;
  catchUp: CatchUp;
  /** The broker has what the device is to get of the conversation, up to here. */
  moved(tree: Tree, conv: string, seq: number): void;
  /** It speaks this dialect: nobody knew. */
  learned(tree: Tree, dialect: string): void;
  log: Logger;
}

interface Voice {
  dialect: Dialect;
  speaker: Speaker;
  /** The device does not come as its protocol wants it: what is for it waits until it does. */
  isRefused: boolean;
}

export function openDesk(tree: Tree, parts: DeskParts): Desk {
  const log = parts.log.child({ clientId: tree.clientId });
  const guestPrefixes = parts.guests.map(({ prefix }) => prefix);
  let filters = readFilters(tree.filters);
  const publish = publishIn(tree, parts);
  const finishing = openFinishing();
  const hears = (topic: string) => filters.hears(topic);
  const wasTold = (conv: string, seq: number) => telling.wasTold(conv, seq);
  const port = parts.portFor({ tree, say: publish, hears, wasTold, marks: parts.marksOf(tree), finish: finishing.add });
  let voice: Voice | undefined;
  let begun = false;
  const moved = (conv: string, seq: number) => parts.moved(tree, conv, seq);
  const spoken = () => (voice?.isRefused ? undefined : voice);
  const told = { tree, voice: spoken, filters: () => filters, publish, moved, catchUp: parts.catchUp, log };
  const telling = createTelling(told);
  const line = openLine({
    catchUp: () => (tree.filters.length === 0 || !voice ? undefined : spoken() ? telling.catchUp() : telling.begin()),
    onFailure: (error) => log.warn({ event: "device_behind", reason: String(error) }),
  });
  const looking = openLooking(line, telling);

  function findVoice(topics: readonly string[]): void {
    const dialect = voice === undefined ? dialectFor(tree.dialect, topics, guestPrefixes) : undefined;
    if (dialect === undefined) return;
    if (tree.dialect === undefined) parts.learned(tree, dialect.name);
    tree.dialect = dialect.name;
    voice = { dialect, speaker: dialect.open(tree, port), isRefused: refuses(dialect, tree) };
  }

  /** Greets it once it is here, its dialect is known, and it hears: from then on it misses nothing. */
  function begin(): void {
    if (voice === undefined || begun || tree.connectedAt === 0) return;
    if (voice.dialect.subscribesAll && tree.filters.length === 0) return;
    begun = true;
    const { speaker } = voice;
    line.add(async () => speaker.begin?.());
    listen(tree.filters);
    if (tree.owner === "user") looking.begin();
  }

  function listen(filters: readonly string[]): void {
    if (filters.length === 0) return;
    telling.listenAgain();
    line.fallBehind();
    tellSubscribed(line, () => voice?.speaker, filters);
  }

  async function hand(topic: string, work: (speaker: Speaker) => Promise<void> | undefined): Promise<void> {
    findVoice([topic]);
    begin();
    if (voice === undefined) return void log.info({ event: "topic_unknown", topic: topic.slice(0, 80) });
    await work(voice.speaker);
  }

  return {
    tree,
    take: (packet, topic, will) => hand(topic, (speaker) => finishing.take(speaker, publishedOf(packet, topic, will))),
    refused: (refusal) => hand(refusal.topic, (speaker) => speaker.refused?.(...readRefusal(refusal))),
    active: (isActive) => line.add(async () => voice?.speaker.active?.(isActive)),
    offer: (offered) => line.add(() => telling.show(offered)),
    update(now) {
      const before = new Set(tree.filters);
      if (now.connectedAt !== tree.connectedAt) begun = false;
      Object.assign(tree, now, { dialect: now.dialect ?? tree.dialect });
      filters = readFilters(tree.filters);
      if (voice) voice.isRefused = refuses(voice.dialect, tree);
      findVoice(tree.filters);
      if (!begun) begin();
      else listen(tree.filters.filter((filter) => !before.has(filter)));
    },
    missed: looking.soon,
    isIdle: () => line.isIdle() && finishing.isIdle() && telling.isIdle(),
    close: () => [looking, telling, line].forEach((one) => void one.close()),
  };
}

/** The one that is named; else by the first topic that a dialect knows. */
function dialectFor(name: string | undefined, topics: readonly string[], guestPrefixes: readonly string[]) {
  for (const topic of [undefined, ...topics]) {
    const dialect = dialectOf({ name, topic, guestPrefixes });
    if (dialect !== undefined) return dialect;
  }
  return undefined;
}

function refuses(dialect: Dialect, tree: Tree): boolean {
  return dialect.refuses?.(tree) !== undefined;
}

function publishIn(tree: Tree, { publish }: DeskParts): (said: Said) => Promise<void> {
  const mountpoint = treeMountpoint(tree);
  return ({ topic, payload, properties }) =>
    publish(mountpoint + topic, typeof payload === "string" ? Buffer.from(payload) : payload, properties);
}

function readRefusal({ topic, beginning, error }: TreeRefusal): Parameters<NonNullable<Speaker["refused"]>> {
  return [{ topic, payload: Buffer.from(beginning, "base64") }, AppError.fromWire(error)];
}

/** What goes on for packets beside their dialect. */
function openFinishing() {
  const begun = new Map<Published, Promise<void>[]>();
  return {
    isIdle: () => begun.size === 0,
    /** False: the packet is done already. */
    add: (packet: Published, done: Promise<void>) => (begun.get(packet)?.push(done) ?? 0) > 0,
    /** Resolves when the dialect and all of that is done. */
    async take(speaker: Speaker, packet: Published): Promise<void> {
      const rest: Promise<void>[] = [];
      begun.set(packet, rest);
      try {
        await speaker.take(packet);
      } finally {
        begun.delete(packet);
      }
      await Promise.all(rest);
    },
  };
}

/** What cannot be read now is said when it can be. */
function tellSubscribed(line: Line, speaker: () => Speaker | undefined, filters: readonly string[]): void {
  line.add(async () => {
    const failed = await speaker()?.subscribed?.(filters).catch(AppError.from);
    if (failed === undefined) return;
    if (isForNow(failed)) tellSubscribed(line, speaker, filters);
    throw failed;
  });
}
