// What a device with a tree is sent, in the words of its dialect: of each conversation every message once, in order.
import {
  AppError,
  deviceTopic,
  ephemeralTopic,
  isForNow,
  isStoredMessage,
  type Message,
  messagesTopic,
  parseConv,
  type Tree,
} from "@parley/protocol";
import { type Dialect, type Downlink, type Said, type Speaker, whenKnown } from "@parley/protocol/dialects";
import type { Logger } from "@parley/runtime";
import { type CatchUp, cursorsMax } from "./catch-up.ts";
import type { Filters } from "./filters.ts";
import { openPublisher } from "./publisher.ts";

/** A packet for the device. */
export interface Offered {
  packet: Downlink;
  /** the native topic's last word: for the user, ephemeral, for the device */
  channel: "m" | "e" | "d";
  /** of a request that is answered */
  correlationData?: Uint8Array | undefined;
}

export interface TellingParts {
  tree: Tree;
  voice(): { dialect: Dialect; speaker: Speaker } | undefined;
  /** as the device has them now */
  filters(): Filters;
  /** Resolves when the broker has it. */
  publish(said: Said): Promise<void>;
  catchUp: CatchUp;
  /** The broker has what the device is to get of the conversation, up to here. */
  moved(conv: string, seq: number): void;
  log: Logger;
}

export interface Telling {
  /** undefined: it is done. */
  show(offered: Offered): Promise<unknown> | undefined;
  catchUp(): Promise<void>;
  /** What is said from here on is for it, and is told later. */
  begin(): Promise<void>;
  /** As `catchUp`, of what may have been lost on the way here: what was passed over for lack of a filter stays so. */
  lookAgain(): Promise<void>;
  /** It has a new filter. Nothing is told from here on until `catchUp` begins: it tells what was passed over for lack of one. */
  listenAgain(): void;
  /** Up to here, or further? */
  wasTold(conv: string, seq: number): boolean;
  isIdle(): boolean;
  /** What is being read is told no more: another desk of the device may begin where this one is. */
  close(): void;
}

export function createTelling(parts: TellingParts): Telling {
  const { tree } = parts;
  const wantedOf = (said: readonly Said[]) => said.filter(({ topic }) => parts.filters().hears(topic));
  const { shown, passed, began, reached, passOver } = openPlaces(parts);
  let hasNewFilter = false;
  let closed = false;
  const { publish, isIdle } = openPublisher(parts);
  const isLive = () => parts.voice()?.dialect.live !== undefined;
  const first = () => ({ tree, shown, began, showsAtFirst: parts.voice()?.dialect.showsAtFirst ?? 0 });

  // Ends whatever reads on for it.
  function refuseClosed(): void {
    if (closed) throw new AppError("unavailable", "the device is gone");
  }

  /** The next message of its conversation. */
  function tell(message: Message): Promise<unknown> | undefined {
    const { conv, seq } = message;
    refuseClosed();
    if (hasNewFilter || seq <= (reached(conv) ?? 0)) return undefined;
    const said = isSilent(message, parts) ? [] : rendered(message, parts);
    return whenKnown(said, (words) => say(words, message));
  }

  function say(said: readonly Said[], { conv, seq }: Message): Promise<unknown> | undefined {
    refuseClosed();
    // What was passed over before this one would be passed for ever.
    if (hasNewFilter) return undefined;
    const wanted = wantedOf(said);
    if (wanted.length === 0 && (said.length > 0 || passed.has(conv))) return void passed.set(conv, seq);
    // That a room was opened may come late: what lies behind it was perhaps said before the device subscribed.
    if (said.length === 0 && isLive() && !shown.has(conv)) return undefined;
    passed.delete(conv);
    shown.set(conv, seq);
    return publish(wanted, () => parts.moved(conv, seq));
  }

  // The next message of its conversation, in words that are at hand, is said at once: it is by far the most.
  function showInWords(packet: Downlink): Promise<unknown> | undefined {
    if (parts.voice() === undefined || tree.filters.length === 0) return undefined;
    if (!isStoredMessage(packet)) return whenKnown(rendered(packet, parts), (said) => publish(wantedOf(said)));
    const { conv, seq } = packet;
    // Of what was said before, a device that hears what is said is told nothing.
    const had = reached(conv) ?? (isLive() ? seq - 1 : 0);
    if (seq <= had) return undefined;
    return seq === had + 1 ? tell(packet) : tellBehind(packet, had);
  }

  async function tellBehind(message: Message, had: number): Promise<void> {
    const { conv, seq } = message;
    await parts.catchUp.between({ tree, conv, after: had, before: seq, tell });
    await tell(message);
  }

  return {
    show(offered) {
      const native = nativeSaid(offered, parts);
      const waiting = native && publish([native]);
      return waiting ? waiting.then(() => showInWords(offered.packet)) : showInWords(offered.packet);
    },
    async catchUp() {
      hasNewFilter = false;
      passed.clear();
      if (isLive()) return;
      await parts.catchUp({ ...first(), passOver, tell });
    },
    begin: () => parts.catchUp.begin(first()),
    async lookAgain() {
      if (isLive() || hasNewFilter || parts.voice() === undefined || tree.filters.length === 0) return;
      const had = new Map([...shown, ...passed]);
      // With more of them all that is stored in the others would be read each time: what was lost comes before the next message.
      if (had.size > cursorsMax) return;
      await parts.catchUp({ tree, shown: had, showsAtFirst: 0, began, passOver, tell });
    },
    listenAgain() {
      // Nothing of before is for a device that hears what is said: it goes on at once.
      if (!isLive()) hasNewFilter = true;
      else for (const places of [passed, shown]) places.clear();
    },
    wasTold: (conv, seq) => seq <= (shown.get(conv) ?? 0) && seq > (began.get(conv) ?? 0),
    isIdle,
    close() {
      closed = true;
    },
  };
}

/** Of conversations: seqs. */
function openPlaces({ moved }: Pick<TellingParts, "moved">) {
  /** the last message that it was sent */
  const shown = new Map<string, number>();
  /** the last message that it has no filter for, where nothing was sent behind that one */
  const passed = new Map<string, number>();
  /** up to here it was told nothing, as it came only then */
  const began = new Map<string, number>();
  return {
    ...{ shown, passed, began },
    reached: (conv: string) => passed.get(conv) ?? shown.get(conv),
    passOver(conv: string, seq: number) {
      shown.set(conv, seq);
      moved(conv, seq);
    },
  };
}

/** A failure of the dialect costs the device this one packet. */
function rendered(packet: Downlink, { voice, tree, log }: TellingParts): readonly Said[] | Promise<readonly Said[]> {
  const failed = (error: unknown): Said[] => {
    const refused = AppError.from(error);
    if (isForNow(refused)) throw refused;
    log.error({ event: "not_rendered", dialect: tree.dialect, err: error });
    return [];
  };
  try {
    const said = voice()?.speaker.render(packet) ?? [];
    return said instanceof Promise ? said.catch(failed) : said;
  } catch (error) {
    return failed(error);
  }
}

/** Native topics are any device's that asks for them, whatever it speaks beside. */
function nativeSaid(
  { packet, channel, correlationData }: Offered,
  { tree, filters, voice }: TellingParts,
): Said | undefined {
  if (tree.owner !== "user") return undefined;
  const topic = nativeTopic(tree, channel);
  const { match, matchNative } = filters();
  const asked = voice() === undefined ? match : matchNative;
  // A filter that it has only just subscribed may not be known here yet: the broker knows.
  const isAnswer = channel === "d" && !match(topic);
  if (!asked(topic) && !isAnswer) return undefined;
  const properties = correlationData === undefined ? {} : { properties: { correlationData } };
  return { topic, payload: JSON.stringify(packet), ...properties };
}

function nativeTopic({ uid, clientId }: Tree, channel: Offered["channel"]): string {
  if (channel === "m") return messagesTopic(uid);
  return channel === "e" ? ephemeralTopic(uid) : deviceTopic(uid, clientId);
}

/** Is nothing said of it to this device, which has it or is not meant? */
function isSilent(message: Message, { tree, voice }: TellingParts): boolean {
  const isOwnSilent = isOwn(message, tree) && !comesBack(message, voice()?.dialect);
  return isOwnSilent || isForAnother(message.conv, tree);
}

function isOwn({ device, from }: Message, tree: Tree): boolean {
  return device === tree.clientId && tree.accounts.includes(from);
}

/** What is sent to one device of a user alone, though the user may read it. */
function isForAnother(conv: string, { clientId, accounts }: Tree): boolean {
  const parsed = conv.startsWith("dev/") ? parseConv(conv) : undefined;
  return parsed?.kind === "dev" && parsed.clientId !== clientId && !accounts.includes(parsed.from);
}

function comesBack({ content }: Message, dialect: Dialect | undefined): boolean {
  return dialect?.echoes === true || (dialect?.tellsOwnEvents === true && content.type === "event");
}
