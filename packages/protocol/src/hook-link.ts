// The link on which the edge asks auth-webhook: any number of questions at once, answered in any order, a line of JSON each. It is an
// HTTP connection that was upgraded.

/** `GET /edge` with `Authorization: Bearer {hook-secret}`, `Connection: Upgrade` and this `Upgrade`. */
export const hookLink = { path: "/edge", upgrade: "parley-hooks" } as const;

/** characters of a line, either way */
export const hookLineMax = 1024 * 1024;

export interface HookQuestion {
  /** the asker's, of one link */
  id: number;
  /** as VerneMQ names its hooks */
  hook: string;
  body: Record<string, unknown>;
}

export interface HookLinkAnswer {
  id: number;
  /** how long it may be kept (s) */
  maxAgeSeconds: number;
  /** as VerneMQ's hooks answer; not checked */
  body: unknown;
}

/** Whoever answers is about to end: what it has been asked it answers, and nothing else is to be asked here. */
export const hookLinkEnds = "[]\n";

/** `[id, hook, body]` */
export function writeHookQuestion(id: number, hook: string, body: object): string {
  return `[${id},${JSON.stringify(hook)},${JSON.stringify(body)}]\n`;
}

/** undefined: it is none. */
export function readHookQuestion(line: string): HookQuestion | undefined {
  const [id, hook, body] = readArray(line);
  const isQuestion = typeof id === "number" && typeof hook === "string" && typeof body === "object" && body !== null;
  return isQuestion && !Array.isArray(body) ? { id, hook, body: body as HookQuestion["body"] } : undefined;
}

/** `[id, maxAgeSeconds, body]`; `body` is JSON already. */
export function writeHookAnswer(id: number, maxAgeSeconds: number, body: string): string {
  return `[${id},${maxAgeSeconds},${body}]\n`;
}

/** "ends": see `hookLinkEnds`; undefined: it is no answer. */
export function readHookAnswer(line: string): HookLinkAnswer | "ends" | undefined {
  const found = readArray(line);
  const [id, maxAgeSeconds, body] = found;
  if (typeof id === "number" && typeof maxAgeSeconds === "number") return { id, maxAgeSeconds, body };
  return line === hookLinkEnds.trimEnd() ? "ends" : undefined;
}

function readArray(line: string): unknown[] {
  try {
    const found: unknown = JSON.parse(line);
    return Array.isArray(found) ? found : [];
  } catch {
    return [];
  }
}

/** Puts the lines of a link together. */
export class HookLines {
  readonly #decoder = new TextDecoder();
  #rest = "";

  /** The lines that are whole by now; undefined: one is longer than any may be. */
  push(chunk: Uint8Array): string[] | undefined {
    const lines = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split("\n");
    this.#rest = lines.pop() ?? "";
    const isTooLong = this.#rest.length > hookLineMax || lines.some((line) => line.length > hookLineMax);
    return isTooLong ? undefined : lines;
  }
}
