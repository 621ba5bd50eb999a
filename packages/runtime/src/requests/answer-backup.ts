// A service's store in files, copied on request: only the process that has it open can do that while it is used.
import { readFile } from "node:fs/promises";
import { isAbsolute, join, relative } from "node:path";
import { type BackupProgress, type BackupReply, type BackupRequest, backupSubject } from "@parley/protocol";
import type { NatsConnection } from "../connections/nats.ts";
import type { Logger } from "../process/log.ts";
import { answerJson } from "./request.ts";

/** As much of a store as is needed here. */
export interface BackedUpStore {
  log(): { last(q: number): Promise<{ pos: number }> };
  backup?(folder: string, tell: (done: number, of: number) => void): Promise<void>;
}

const tellEveryMs = 200;

/**
 * Answers until the connection is closed; a copy under way does not hold up the end of the process, and whoever asked
 * notices that nothing comes any more.
 */
export function answerBackup(
  nats: NatsConnection,
  options: { service: string; store: BackedUpStore; partitions?: number; log: Logger },
): void {
  const { service, store, partitions = 0, log } = options;
  // One after the other: an earlier one may still run whose asker has gone.
  let last: Promise<unknown> = Promise.resolve();
  answerJson<BackupRequest>(
    nats,
    backupSubject(service),
    service,
    (asked) => {
      const work = last.then(() => copyStore(asked));
      last = work.catch(() => {});
      return work;
    },
    log,
  );

  async function copyStore(asked: BackupRequest): Promise<BackupReply> {
    if (!store.backup) return { refused: "its store is not in files of its own; use the tools of the database" };
    const strange = await strangeness(asked);
    if (strange !== undefined) return { refused: strange };
    log.info({ event: "backup_begun", folder: asked.folder });
    const from = await ends();
    let toldAt = 0;
    await store.backup(asked.folder, (done, of) => {
      if (performance.now() - toldAt < tellEveryMs || nats.isClosed()) return;
      toldAt = performance.now();
      nats.publish(asked.progress, JSON.stringify({ done, of } satisfies BackupProgress));
    });
    log.info({ event: "backup_done", folder: asked.folder });
    return { from, to: await ends() };
  }

  function ends(): Promise<number[]> {
    return Promise.all(Array.from({ length: partitions }, async (_, q) => (await store.log().last(q)).pos));
  }
}

// Why the folder is not one that `parley backup` has made where this process sees it.
async function strangeness({ backup, id, folder }: BackupRequest): Promise<string | undefined> {
  const within = relative(backup, folder);
  if (!isAbsolute(backup) || within === "" || within.startsWith("..")) return `${folder} is not a folder of a backup`;
  try {
    const { id: found } = JSON.parse(await readFile(join(backup, "backup.json"), "utf8")) as { id?: string };
    if (found === id) return undefined;
  } catch {}
  return `it does not see ${backup}: choose a folder that the services see under the same path`;
}
