// What is known of a batch of jobs: asked of history, api and push's own settings, each once for all of them.
import {
  type Message,
  type PushJob,
  type PushPeopleReply,
  type PushState,
  type PushStateReply,
  p2pConv,
} from "@parley/protocol";
import type { Settings, UserSettings } from "../settings.ts";
import type { Ask } from "./ask.ts";

export interface KnownParts {
  ask: Ask;
  /** of all of them */
  settingsOf: Settings["ofUsers"];
}

/** What is known of one job. */
export interface Known {
  state: PushState | undefined;
  message: Message | null | undefined;
  /** unread messages of all the user's conversations */
  badge: number;
  /** what its room is called */
  room: string | undefined;
  /** who wrote, rings, invites or asks */
  from: string | undefined;
  /** and how the user has that one */
  person: PushPeopleReply["people"][number] | undefined;
  settings: UserSettings;
  /** of its picture; absent: it has none, or nothing is to be shown */
  thumbnailUrl: string | undefined;
}

/** Says it of each job that was given. Throws when a service does not answer. */
export async function readKnown(
  { ask, settingsOf }: KnownParts,
  given: readonly PushJob[],
): Promise<(job: PushJob) => Known> {
  // Tokens of one device ask for the same.
  const jobs = [...new Map(given.map((job) => [keyOf(job), job])).values()];
  const [told, settings] = await Promise.all([
    statesOf(ask, jobs),
    settingsOf([...new Set(jobs.map(({ uid }) => uid))]),
  ]);
  const messageOf = (job: PushJob) => (job.conv === undefined ? undefined : told.messages[placeKey(job)]);
  const fromOf = (job: PushJob) => job.by ?? messageOf(job)?.from;
  const settingsFor = ({ uid }: PushJob) => settings.get(uid)!;
  const [people, thumbnails] = await Promise.all([
    peopleOf(ask, jobs, fromOf),
    thumbnailsOf(ask, jobs, (job) => (settingsFor(job).preview === "full" ? pictureOf(messageOf(job)) : undefined)),
  ]);
  return (job) => ({
    state: told.states.get(keyOf(job)),
    message: messageOf(job),
    badge: told.states.get(keyOf(job))?.badge ?? (Object.hasOwn(told.badges, job.uid) ? told.badges[job.uid]! : 0),
    room: job.conv === undefined ? undefined : told.rooms[job.conv],
    from: fromOf(job),
    person: people.get(`${job.uid} ${fromOf(job)}`),
    settings: settingsFor(job),
    thumbnailUrl: thumbnails.get(`${job.uid} ${pictureOf(messageOf(job))}`),
  });
}

type Told = Omit<PushStateReply, "states"> & { states: Map<string, PushState> };

async function statesOf(ask: Ask, jobs: readonly PushJob[]): Promise<Told> {
  if (jobs.length === 0) return { states: new Map(), messages: {}, badges: {}, rooms: {} };
  const asked = jobs.map((job) => ({ uid: job.uid, clientId: job.clientId, ...placeOf(job) }));
  const { states, ...told } = await ask.states(asked);
  return { ...told, states: new Map(jobs.map((job, index) => [keyOf(job), states[index]!])) };
}

async function peopleOf(ask: Ask, jobs: readonly PushJob[], fromOf: (job: PushJob) => string | undefined) {
  const pairs = new Map<string, { uid: string; by: string }>();
  for (const job of jobs) {
    const by = fromOf(job);
    if (by !== undefined) pairs.set(`${job.uid} ${by}`, { uid: job.uid, by });
  }
  const people = pairs.size === 0 ? [] : await ask.people([...pairs.values()]);
  return new Map([...pairs.keys()].map((key, index) => [key, people[index]]));
}

// Without an address the notification has no picture, and goes all the same.
async function thumbnailsOf(ask: Ask, jobs: readonly PushJob[], fileOf: (job: PushJob) => string | undefined) {
  const asked = new Map<string, { file: string; uid: string }>();
  for (const job of jobs) {
    const file = fileOf(job);
    if (file !== undefined) asked.set(`${job.uid} ${file}`, { file, uid: job.uid });
  }
  const urls = asked.size === 0 ? [] : await ask.thumbnails([...asked.values()]).catch(() => []);
  return new Map([...asked.keys()].map((key, index) => [key, urls[index] ?? undefined]));
}

/** The attachment of a picture or film. */
function pictureOf(message: Message | null | undefined): string | undefined {
  const { type, file } = (message?.content ?? {}) as { type?: string; file?: unknown };
  return (type === "image" || type === "video") && typeof file === "string" ? file : undefined;
}

/** Where a job looks at a conversation; of what no message tells between the two, for the badge alone. */
function placeOf({ uid, conv, seq = 1, by = uid }: PushJob): { conv: string; seq: number } {
  return { conv: conv ?? p2pConv(uid, by), seq };
}

function placeKey(job: PushJob): string {
  const { conv, seq } = placeOf(job);
  return `${conv} ${seq}`;
}

function keyOf(job: PushJob): string {
  return `${job.uid} ${job.clientId} ${placeKey(job)}`;
}
