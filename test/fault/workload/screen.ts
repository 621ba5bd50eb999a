// A device with the SDK: shows what comes, says a thing now and then, and is now and then not there for a while.
import { type AppError, type Message, type ParleyClient, startClient, storageOutbox } from "@parley/client";
import { type Address, convOf, type JsonObject, parseAddress } from "@parley/protocol";
import type { Ack, Screen, Sent } from "../checker/record.ts";
import type { Random } from "../seeded.ts";
import { copyOf } from "./device.ts";
import type { Session } from "./people.ts";

export interface ScreenOptions {
  url: string;
  session: Session;
  /** addresses it writes to */
  to: readonly string[];
  random: Random;
  /** closes and starts again, with its cursors and outbox */
  leaves: boolean;
}

export interface SdkDevice {
  screen: Screen;
  sent: Sent[];
  acks: Ack[];
  unanswered(): number;
  stopNew(): void;
  stop(): void;
  close(): Promise<void>;
}

const sayEveryMs = 1_000;
const mostUnsent = 3;
const stayMs = 12_000;
const awayMs = 5_000;

export async function openScreen(options: ScreenOptions): Promise<SdkDevice> {
  const { session, to, random, leaves } = options;
  const screen: Screen = { uid: session.uid, device: session.clientId, shown: new Map() };
  const [sent, acks]: [Sent[], Ack[]] = [[], []];
  const waiting = new Set<string>();
  const start = starter(options, screen, {
    sent({ conv, id, seq }) {
      acks.push({ conv, id, seq, device: session.clientId });
      waiting.delete(id);
    },
    failed: ({ id, error }) => void sent.find((one) => one.id === id)?.nacks.push(error.code),
  });
  let client: ParleyClient | undefined = await start(undefined);
  await client.ready;
  let active = true;
  let moving = Promise.resolve();

  const say = () => {
    if (!active || !client || waiting.size >= mostUnsent) return;
    const { message, address, data } = compose(session, to, random, sent.length);
    sent.push(message);
    waiting.add(message.id);
    // Kept in its outbox, whatever becomes of this client; `sent` tells of the ack.
    client.send(address, { type: "text", data }, { id: message.id }).catch(() => {});
  };
  const leave = async () => {
    if (!client || !active) return;
    const gone = client;
    client = undefined;
    await gone.close();
    await new Promise((resolve) => setTimeout(resolve, awayMs));
    client = await start(gone);
  };
  const move = () => {
    moving = moving.then(leave, leave);
  };
  const timers = [setInterval(say, sayEveryMs), ...(leaves ? [setInterval(move, stayMs + random.below(stayMs))] : [])];
  return {
    screen,
    sent,
    acks,
    unanswered: () => waiting.size,
    stopNew() {
      active = false;
    },
    stop: () => timers.forEach(clearInterval),
    async close() {
      active = false;
      timers.forEach(clearInterval);
      await moving.catch(() => {});
      await client?.close();
    },
  };
}

interface Hears {
  sent(ack: { conv: string; id: string; seq: number }): void;
  failed(failure: { id: string; error: AppError }): void;
}

/** Starts the client anew with what an earlier one knew. */
function starter({ url, session }: ScreenOptions, screen: Screen, hears: Hears) {
  const store = storageOutbox(memoryStorage(), session.clientId);
  const message = (packet: Message) => {
    const copy = copyOf(packet as unknown as JsonObject);
    if (!copy) return;
    const shown = screen.shown.get(copy.conv) ?? [];
    screen.shown.set(copy.conv, shown);
    shown.push(copy);
  };
  return (before: ParleyClient | undefined) => {
    const cursors = before ? { cursors: before.cursors() } : {};
    return startClient({ url, session, store, transport: "tcp", ...cursors }, { ...hears, message });
  };
}

function compose({ uid, clientId }: Session, to: readonly string[], random: Random, count: number) {
  const address = random.pick(to);
  const conv = convOf(uid, parseAddress(address) as Address);
  const id = `${clientId}-${count}`;
  const own = { conv, from: uid, device: clientId, id, type: "text", body: undefined };
  // The SDK's own business: it names `prev` itself, and sends again when it sees fit.
  const message: Sent = { ...own, firstAt: performance.now(), order: count, tries: 2, nacks: [], prev: undefined };
  return { message, address, data: `${count} by the SDK` };
}

function memoryStorage() {
  const items = new Map<string, string>();
  return {
    get length() {
      return items.size;
    },
    key: (index: number) => [...items.keys()][index] ?? null,
    getItem: (key: string) => items.get(key) ?? null,
    setItem: (key: string, value: string) => void items.set(key, value),
    removeItem: (key: string) => void items.delete(key),
  };
}
