// Sessions kept between runs, by server, user and device: ~/.config/parley/credentials.json, for its owner alone.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import type { Session } from "@parley/client";

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
      // Read anew: another parley may have saved its own meanwhile.
      const all = read(path);
      const kept = all[server] ?? { sessions: {} };
      kept.user = session.uid;
      kept.sessions[session.uid] = { ...kept.sessions[session.uid], [device]: session };
      write(path, { ...all, [server]: kept });
    },
  };
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
