// How far devices with trees have their conversations: kept by presence, so that whichever router serves a device next goes on
// behind it. What this router moved is kept once a second, and when a device or a partition goes.
import { type Cursors, type CursorsReply, type CursorsRequest, subjects, wasHere } from "@parley/protocol";
import { type Logger, type NatsConnection, repeat, requestJson } from "@parley/runtime";

export interface CursorKeeper {
  /** How far the device has them, also by what waits here to be kept; null: it was never here. Rejects: not to be had. */
  read(clientId: string): Promise<Cursors | null>;
  /** It was never here before. Resolves when that is kept, or cannot be kept now: then soon. */
  begin(clientId: string, cursors: Cursors): Promise<void>;
  /** The device has the conversation up to here, or its dialect a mark there; kept soon. */
  moved(clientId: string, conv: string, seq: number): void;
  /** Resolves when what waits is kept, or cannot be kept now. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

const everyMs = 1_000;
const askMs = 5_000;
/** conversations of devices in one request */
const rowsAtOnce = 2_000;

export function openCursorKeeper(nats: NatsConnection, log: Logger): CursorKeeper {
  const waiting = new Map<string, Map<string, number>>();
  const ask = <Reply>(asked: CursorsRequest) =>
    requestJson<Reply>(nats, subjects.treeCursors, asked, { timeoutMs: askMs });

  // What moves on while it is under way stays for the next turn.
  async function keep(): Promise<void> {
    for (const rows of chunksOf(waiting)) {
      try {
        await ask({ keep: rows });
      } catch (error) {
        log.debug({ event: "cursors_not_kept", reason: String(error) });
        return;
      }
      for (const { clientId, cursors } of rows) forgetKept(waiting, clientId, cursors);
    }
  }

  async function readAll(clientId: string): Promise<Cursors | null> {
    let all: Cursors | null = null as Cursors | null;
    let page: string | undefined;
    do {
      const found: CursorsReply = await ask({ clientId, ...(page === undefined ? {} : { page }) });
      if (found.cursors !== null) all = Object.assign(all ?? {}, found.cursors);
      page = found.next ?? undefined;
    } while (page !== undefined);
    return all;
  }

  function moved(clientId: string, conv: string, seq: number): void {
    const of = waiting.get(clientId) ?? new Map<string, number>();
    waiting.set(clientId, of);
    of.set(conv, Math.max(seq, of.get(conv) ?? 0));
  }

  const keeping = repeat(keep, () => everyMs);
  return {
    async read(clientId) {
      const kept = await readAll(clientId);
      const here = waiting.get(clientId);
      if (here === undefined) return kept;
      const all = { ...kept };
      for (const [conv, seq] of here) if (conv !== wasHere) all[conv] = Math.max(seq, all[conv] ?? 0);
      return all;
    },
    begin(clientId, cursors) {
      for (const [conv, seq] of Object.entries({ [wasHere]: 0, ...cursors })) moved(clientId, conv, seq);
      return keeping.next();
    },
    moved,
    flush: () => (waiting.size > 0 ? keeping.next() : Promise.resolve()),
    async close() {
      await keeping.stop();
      await keep();
    },
  };
}

function* chunksOf(waiting: ReadonlyMap<string, ReadonlyMap<string, number>>) {
  let rows: { clientId: string; cursors: Cursors }[] = [];
  let room = rowsAtOnce;
  for (const [clientId, moved] of [...waiting])
    for (let cursors = [...moved]; cursors.length > 0; ) {
      const taken = cursors.splice(0, room);
      rows.push({ clientId, cursors: Object.fromEntries(taken) });
      room -= taken.length;
      if (room > 0) continue;
      yield rows;
      rows = [];
      room = rowsAtOnce;
    }
  if (rows.length > 0) yield rows;
}

function forgetKept(waiting: Map<string, Map<string, number>>, clientId: string, kept: Cursors): void {
  const moved = waiting.get(clientId);
  if (moved === undefined) return;
  for (const [conv, seq] of Object.entries(kept)) if (moved.get(conv) === seq) moved.delete(conv);
  if (moved.size === 0) waiting.delete(clientId);
}
