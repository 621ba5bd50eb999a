// Sessions kept between runs, by server, user and device: ~/.config/parley/credentials.json, for its owner alone.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import type { Session } from "@parley/client";
import { lockDevice } from "./device-lock.ts";

interface Kept {
  /** the user of the latest login */
  user?: string;
  sessions: Record<string, Record<string, Session>>;
}

export interface Credentials {
  /** Who logged in last at the server. */
  user(server: string): string | undefined;
  find(server: string, user: string, device: string): Session | undefined;
  save(server: string, device: string, session: Session): void;
  /** Of one device. */
  forget(server: string, user: string, device: string): void;
}

export function configFolder(env: NodeJS.ProcessEnv = process.env): string {
  return join(env.XDG_CONFIG_HOME || join(homedir(), ".config"), "parley");
}

export function openCredentials(folder = configFolder()): Credentials {
  const path = join(folder, "credentials.json");
  return {
    user: (server) => read(path)[server]?.user,
    find: (server, user, device) => read(path)[server]?.sessions[user]?.[device],
    save(server, device, session) {
      change(folder, server, (kept) => {
        kept.user = session.uid;
        kept.sessions[session.uid] = { ...kept.sessions[session.uid], [device]: session };
      });
    },
    forget(server, user, device) {
      change(folder, server, (kept) => {
        const { [device]: _, ...others } = kept.sessions[user] ?? {};
        kept.sessions[user] = others;
      });
    },
  };
}

// One parley after the other, each reading anew: none overwrites what another has just saved.
function change(folder: string, server: string, work: (kept: Kept) => void): void {
  const path = join(folder, "credentials.json");
  const { release } = waitForLock(folder, "credentials");
  try {
    const all = read(path);
    const kept = all[server] ?? { sessions: {} };
    work(kept);
    write(path, { ...all, [server]: kept });
  } finally {
    release();
  }
}

const lockWaitMs = 5_000;
const lockPollMs = 5;

// Held for as long as a small file takes to be written, so that waiting in place is all there is to do.
function waitForLock(folder: string, name: string): { release(): void } {
  const deadline = performance.now() + lockWaitMs;
  for (;;) {
    const lock = lockDevice(folder, name);
    if (lock.heldBy === undefined) return lock;
    if (performance.now() > deadline) throw new Error(`process ${lock.heldBy} holds ${folder}; end it and try again`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, lockPollMs);
  }
}

function read(path: string): Record<string, Kept> {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw new Error(`cannot read ${path}: ${(error as Error).message}`);
  }
  try {
    return JSON.parse(text) as Record<string, Kept>;
  } catch {
    throw new Error(`${path} is damaged; remove it and log in again`);
  }
}

function write(path: string, all: Record<string, Kept>): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const aside = `${path}.${process.pid}`;
  writeFileSync(aside, `${JSON.stringify(all, null, 2)}\n`, { mode: 0o600 });
  renameSync(aside, path);
}
