// Makes a backup aside and puts it in its place by one rename, once all of it was opened and compared.
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import {
  BackupError,
  backupUnused,
  blobsFolder,
  copyBlobs,
  copySecrets,
  copySynced,
  derivedServices,
  digest,
  listFiles,
  type Manifest,
  makeOrRefuse,
  sync,
  verifyService,
  writeManifest,
} from "@parley/store/backup";
import { listServices, StoreError } from "@parley/store/copy";
import { reachServices, type Services } from "./ask-service.ts";
import { filesOf, type Place } from "./place.ts";

/** What is done at this moment; `done` and `of` in pages or files. */
export type Tell = (step: string, done: number, of: number) => void;

/**
 * The services with a store, in the order they are copied. api is last: an account that is in the log but not in the
 * accounts could be registered by somebody else, who would then read what the first one wrote. A room that api knows
 * and the log does not is only a room that nobody is in.
 */
const order = ["presence", "push", "history", "api"];

// Beside the store and the secrets: what the data folder needs to be started again as it was.
const alongside = ["version", "demo.json"];

/** Throws a BackupError or StoreError, with nothing at `target`. */
export async function makeBackup(place: Place, target: string, tell: Tell): Promise<Manifest["services"]> {
  await refuseUsed(target);
  const parent = dirname(target);
  makeOrRefuse(parent);
  await removeLeftovers(parent, `${basename(target)}.unfinished-`);
  const id = randomBytes(6).toString("hex");
  const aside = join(parent, `${basename(target)}.unfinished-${process.pid}-${id}`);
  const begunAt = Date.now();
  makeOrRefuse(aside);
  try {
    await writeManifest(aside, { id, begunAt, doneAt: null, services: {}, files: {} });
    const services = await copyServices(place, { aside, id, tell });
    await copyPrivate(place, aside);
    const files: Manifest["files"] = {};
    const paths = (await listFiles(aside)).filter((path) => path !== "backup.json");
    for (const [at, path] of paths.entries()) {
      tell("reading it again", at, paths.length);
      files[path] = await digest(join(aside, path));
      await sync(dirname(join(aside, path)));
    }
    await writeManifest(aside, { id, begunAt, doneAt: Date.now(), services, files });
    await sync(aside);
    await rename(aside, target);
    await sync(parent);
    return services;
  } catch (error) {
    await rm(aside, { recursive: true, force: true });
    throw error;
  }
}

async function copyServices(
  place: Place,
  { aside, id, tell }: { aside: string; id: string; tell: Tell },
): Promise<Manifest["services"]> {
  const there = (await listServices(place.storeUrl)).filter((service) => !derivedServices.has(service));
  const unknown = there.filter((service) => !order.includes(service));
  if (unknown.length > 0)
    throw new BackupError(`the store holds ${unknown.join(", ")}, which this Parley does not know`);
  if (there.length === 0)
    throw new BackupError(`there is no store in ${place.storeUrl}: PARLEY_DIR says where Parley's data is`);
  const running = place.natsUrl === undefined ? undefined : await reachServices(place.natsUrl);
  const services: Manifest["services"] = {};
  try {
    for (const service of order.filter((name) => there.includes(name))) {
      const folder = join(aside, "data", service);
      makeOrRefuse(folder);
      // Twice: what api's copy refers to was there before it or has come since, and what goes meanwhile was copied before.
      if (service === filesOf) await copyFiles(place, folder, tell);
      const asked = { backup: aside, id, folder };
      const between = running
        ? await copyRunning(running, service, asked, (done, of) => tell(`copying ${service}`, done, of))
        : await copyUnused(place, service, folder, (done, of) => tell(`copying ${service}`, done, of));
      if (service === filesOf) await copyFiles(place, folder, tell);
      tell(`checking ${service}`, 0, 1);
      const { entries, documents } = await verifyService(folder, between);
      services[service] = { entries, documents };
    }
  } finally {
    await running?.close();
  }
  return services;
}

async function copyFiles({ storeUrl, blobsUrl }: Place, folder: string, tell: Tell): Promise<void> {
  if (blobsUrl !== undefined) return;
  const target = join(folder, basename(blobsFolder(storeUrl, filesOf)));
  await copyBlobs(blobsFolder(storeUrl, filesOf), target, (done, of) => tell("copying files", done, of));
}

async function copyRunning(
  running: Services,
  service: string,
  asked: { backup: string; id: string; folder: string },
  tell: (done: number, of: number) => void,
) {
  const between = await running.copy(service, asked, tell);
  if (between) return between;
  throw new BackupError(
    `${service} does not answer: wait until Parley is ready, or stop all of it and make the backup then`,
  );
}

async function copyUnused(
  { storeUrl }: Place,
  service: string,
  folder: string,
  tell: (done: number, of: number) => void,
) {
  try {
    await backupUnused(storeUrl, service, folder, tell);
    return undefined;
  } catch (cause) {
    if (!(cause instanceof StoreError && cause.code === "locked")) throw cause;
    throw new BackupError(`${service} runs, but there is no run.json: set NATS_URL to where its services talk`, {
      cause,
    });
  }
}

async function copyPrivate({ dir, secrets }: Place, aside: string): Promise<void> {
  if (!existsSync(secrets)) throw new BackupError(`${secrets} is not there: PARLEY_SECRETS says where the secrets are`);
  await copySecrets(secrets, join(aside, "secrets"));
  for (const name of alongside) if (existsSync(join(dir, name))) await copySynced(join(dir, name), join(aside, name));
}

async function refuseUsed(target: string): Promise<void> {
  const found = await readdir(target).catch((cause: NodeJS.ErrnoException): string[] => {
    if (cause.code === "ENOENT") return [];
    throw new BackupError(`${target} cannot be used: ${cause.message}`, { cause });
  });
  if (found.length > 0) throw new BackupError(`${target} is not empty: a backup goes into a new folder`);
}

// Of backups that were killed. One that is still being made is refused: both would wait for the same services.
async function removeLeftovers(parent: string, prefix: string): Promise<void> {
  for (const name of (await readdir(parent)).filter((one) => one.startsWith(prefix))) {
    const pid = Number(name.slice(prefix.length).split("-")[0]);
    if (isAlive(pid)) throw new BackupError(`process ${pid} is making this backup: wait for it`);
    await rm(join(parent, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
