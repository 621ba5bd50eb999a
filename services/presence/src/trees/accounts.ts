// Which accounts a connected device may act for: those of its user's login, asked of api at the connect and whenever they change.
import { type AccountsReply, subjects, type Tree } from "@parley/protocol";
import { type Logger, type NatsConnection, type Redis, requestJson, within } from "@parley/runtime";
import type { LiveTrees } from "./live.ts";

export interface TreeAccounts {
  /** Of a device that connects; only its own where api does not answer at once: the others come later. */
  of(uid: string, clientId: string): Promise<string[]>;
  /** Asks anew for these devices, as long as it takes. */
  refresh(devices: readonly UsersDevice[]): void;
  close(): Promise<void>;
}

export type UsersDevice = Pick<Tree, "uid" | "clientId">;

export interface AccountsParts {
  nats: NatsConnection;
  redis: Redis;
  live: LiveTrees;
  /** The accounts of a connected device are others than before. */
  onChange(clientId: string): void;
  log: Logger;
}

/** Less than the connect decision waits for presence. */
const patienceMs = 100;
const askMs = 5_000;
const retryMs = 1_000;
/** What nobody told of is found by then. */
const regularMs = 60_000;
const devicesAtOnce = 500;
const waitingMax = 200_000;
const turnKey = "presence:accounts";

export function openAccounts({ nats, redis, live, onChange, log }: AccountsParts): TreeAccounts {
  /** clientId → uid */
  const waiting = new Map<string, string>();
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  let closed = false;

  async function ask(uids: readonly string[]): Promise<AccountsReply["accounts"]> {
    return (await requestJson<AccountsReply>(nats, subjects.accountsOf, { uids }, { timeoutMs: askMs })).accounts;
  }

  /** Of those who are about to be there, too. */
  async function renew(devices: readonly UsersDevice[]): Promise<void> {
    const accounts = await ask([...new Set(devices.map(({ uid }) => uid))]);
    for (const { uid, clientId } of devices)
      if ((await live.share(clientId, accounts[uid] ?? [uid])) === "changed") onChange(clientId);
  }

  async function renewWaiting(): Promise<void> {
    while (waiting.size > 0 && !closed) {
      const batch = [...waiting].slice(0, devicesAtOnce).map(([clientId, uid]) => ({ clientId, uid }));
      await renew(batch);
      for (const { clientId } of batch) waiting.delete(clientId);
    }
  }

  async function renewAll(): Promise<void> {
    if (redis.status !== "ready" || (await redis.set(turnKey, "1", "PX", regularMs - 1000, "NX")) !== "OK") return;
    for (let page: string | null | undefined; page !== null && !closed; ) {
      const { trees, next } = await live.page(undefined, page);
      const ofUsers = trees.filter(({ owner }) => owner === "user");
      if (ofUsers.length > 0) await renew(ofUsers);
      page = next;
    }
  }

  function soon(inMs: number): void {
    if (closed) return;
    timer ??= setTimeout(() => {
      timer = undefined;
      running = running.then(renewWaiting).catch((error: unknown) => {
        log.debug({ event: "accounts_not_asked", count: waiting.size, reason: String(error) });
        soon(retryMs);
      });
    }, inMs);
  }

  const regularly = setInterval(() => {
    running = running
      .then(renewAll)
      .catch((error: unknown) => log.debug({ event: "accounts_not_asked", reason: String(error) }));
  }, regularMs);
  return {
    async of(uid, clientId) {
      let accounts: string[] | undefined;
      const asked = ask([uid]).then((all) => {
        accounts = all[uid] ?? [uid];
      });
      await within(patienceMs, asked).catch(() => false);
      if (accounts === undefined && waiting.size < waitingMax) {
        waiting.set(clientId, uid);
        soon(retryMs);
      }
      return accounts ?? [uid];
    },
    refresh(devices) {
      for (const { uid, clientId } of devices) if (waiting.size < waitingMax) waiting.set(clientId, uid);
      if (waiting.size > 0) soon(0);
    },
    async close() {
      closed = true;
      clearTimeout(timer);
      clearInterval(regularly);
      await running;
    },
  };
}
