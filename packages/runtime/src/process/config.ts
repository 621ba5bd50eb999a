// Settings: declared once as TypeBox properties named like their environment variables, read strictly, printed by --help.
import { resolve } from "node:path";
import { type Static, type TInteger, type TObject, type TProperties, type TSchema, Type } from "typebox";
import { Value } from "typebox/value";
import { readNetworks } from "../flow/address.ts";
import { checkpoints } from "./checkpoints.ts";
import { readGuests } from "./guests.ts";
import { nearest } from "./nearest.ts";
import { fileKeyOf, readValue } from "./value-files.ts";

const networks = "^([0-9A-Fa-f.:/]+(\\s*,\\s*[0-9A-Fa-f.:/]+)*)?$";
const networksExample = "addresses or networks like 10.0.0.0/8,127.0.0.1";

/**
 * Settings that several services share; a service names those it reads. Beyond JSON Schema's words a property may say
 * `secret: true` (its value is never shown, and may be in a file that `{KEY}_FILE` names), `expects` (a readable form of its pattern) and `read` (what reads the value, and
 * throws an Error that says what is wrong with it).
 */
export const sharedSettings = {
  NATS_URL: url("nats://127.0.0.1:4222", "nats|tls", "NATS server"),
  REDIS_URL: url("redis://127.0.0.1:6379", "rediss?", "Redis server"),
  STORE_URL: Type.String({
    default: "sqlite:$PARLEY_DIR/data",
    pattern: "^(sqlite:.+|mongodb(\\+srv)?://.+)$",
    expects: "sqlite:FOLDER or mongodb://…",
    secret: true,
    description: "store; a SQLite folder or a MongoDB address",
  }),
  BLOBS_URL: Type.Optional(
    Type.String({
      pattern: "^(files:.+|mongodb(\\+srv)?://.+|s3\\+https?://.+)$",
      expects: "files:FOLDER, mongodb://… or s3+https://KEY:SECRET@HOST/BUCKET",
      secret: true,
      description: "files that people send; without it beside the store",
    }),
  ),
  TRUSTED_PROXIES: Type.String({
    default: "",
    pattern: networks,
    expects: networksExample,
    read: readNetworks,
    description: "proxies whose word is taken for whom they pass on",
  }),
  DIRECT_MESSAGES: Type.Union([Type.Literal("anyone"), Type.Literal("contacts")], {
    default: "anyone",
    expects: "anyone or contacts",
    description: "who may write to a user that says nothing else: anyone, or those in the user's own roster",
  }),
  GUESTS: Type.String({
    default: "",
    secret: true,
    expects: "USER:PASSWORD:PREFIX, several with commas",
    read: readGuests,
    description:
      "logins without an account for devices of other protocols, each for the topics that begin with its prefix",
  }),
  LINK_PREVIEWS: Type.Boolean({ default: true, description: "pages are fetched for previews of links" }),
  LINK_PREVIEW_ALLOW: Type.String({
    default: "",
    pattern: networks,
    expects: networksExample,
    read: readNetworks,
    description: "networks that previews may be fetched from, at any port, although they are not public",
  }),
  PARLEY_BROKER_URL: url(
    "mqtt://127.0.0.1:1883",
    "mqtts?|unix",
    "the broker's own port, for services, or on one machine its socket: unix:///path",
  ),
  PARLEY_DIRECT_SOCKET: Type.String({
    default: "",
    pattern: "^(/.{1,102})?$",
    expects: "an absolute path of at most 103 bytes",
    description:
      "Unix socket by which routers give copies to the edge without the broker; only where one edge has all devices, and nobody else may enter its folder",
  }),
};

/** Settings that every service has. */
const commonSettings = {
  PARLEY_DIR: Type.String({ default: ".parley", description: "data folder" }),
  PARLEY_SECRETS: Type.String({
    default: "$PARLEY_DIR/secrets",
    description: "folder of the secrets, made at first start",
  }),
  PARLEY_LOG_LEVEL: Type.Union(
    ["trace", "debug", "info", "warn", "error", "fatal", "silent"].map((level) => Type.Literal(level)),
    { default: "info", expects: "trace, debug, info, warn, error, fatal or silent", description: "log level" },
  ),
  PARLEY_INSTANCE: Type.Optional(
    Type.String({
      pattern: "^[0-9A-Za-z_-]{1,64}$",
      expects: "1 to 64 of A-Z a-z 0-9 _ -",
      description: "name in the log",
    }),
  ),
  PARLEY_HEALTH_HOST: Type.String({
    default: "127.0.0.1",
    description: "address of health and metrics; 0.0.0.0 in a container",
  }),
  PARLEY_CRASH_AT: Type.Optional(
    Type.String({
      pattern: `^(${checkpoints.join("|")})(:[1-9]\\d{0,6})?$`,
      expects: `one of ${checkpoints.join(", ")}, with :n for the n-th time`,
      description: "for tests: the process kills itself there",
    }),
  ),
  PARLEY_PARENT_PIPE: Type.Boolean({ default: false, description: "stop when stdin closes (set by a supervisor)" }),
};

type SharedSettings = typeof sharedSettings;
type HealthPort<Prefix extends string> = { [Key in `${Prefix}_HEALTH_PORT`]: TInteger };

/** What a service can be told by its environment. */
export interface Settings<Properties extends TProperties = TProperties> {
  service: string;
  prefix: string;
  properties: Properties;
}

/** The values of settings, keyed by the names of the environment variables. */
export type Config<S> = S extends Settings<infer Properties> ? Static<TObject<Properties>> : never;

/** The values every service has. */
export type CommonConfig = Static<TObject<typeof commonSettings>>;

/** Puts together the settings of one service: those every service has, the shared ones it names, its own. */
export function defineSettings<
  Prefix extends string,
  Shared extends keyof SharedSettings = never,
  Own extends TProperties = Record<never, never>,
>(declared: { service: string; prefix: Prefix; shared?: readonly Shared[]; own?: Own }) {
  const shared = Object.fromEntries((declared.shared ?? []).map((key) => [key, sharedSettings[key]]));
  const healthPort = Type.Integer({
    default: 0,
    minimum: 0,
    maximum: 65535,
    description: "health and metrics port; 0 = any free one",
  });
  const properties = { ...declared.own, ...shared, [`${declared.prefix}_HEALTH_PORT`]: healthPort, ...commonSettings };
  return { service: declared.service, prefix: declared.prefix, properties } as unknown as Settings<
    Own & Pick<SharedSettings, Shared> & HealthPort<Prefix> & typeof commonSettings
  >;
}

/** A setting that stops the start: `problems` name each key and what is wrong with it, never a secret's value. */
export class ConfigError extends Error {
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(problems.join("; "));
    this.name = "ConfigError";
    this.problems = problems;
  }
}

/** Reads the declared keys from `env`. Throws a ConfigError with every problem found. An empty value is no value. */
export function readConfig<Properties extends TProperties>(
  settings: Settings<Properties>,
  env: Readonly<Record<string, string | undefined>>,
): Static<TObject<Properties>> {
  const problems = unknownKeys(settings, env);
  const picked: Record<string, unknown> = {};
  for (const [key, schema] of Object.entries(settings.properties)) {
    let text = env[key];
    try {
      if (isSecret(schema)) text = readValue(env, key);
    } catch (error) {
      problems.push((error as Error).message);
      continue;
    }
    const value = text === undefined || text === "" ? Value.Default(schema, undefined) : convert(schema, text);
    if (value === undefined && Type.IsOptional(schema)) continue;
    const problem = check(key, schema, value);
    if (problem) problems.push(problem);
    else picked[key] = value;
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return expandFolders(picked) as Static<TObject<Properties>>;
}

/** The table of `--help`: name, default, description. */
export function describeSettings(settings: Settings): string {
  const rows = Object.entries(settings.properties).map(([key, schema]) => {
    const { default: fallback, description } = schema as { default?: unknown; description?: string };
    const required = fallback === undefined && !Type.IsOptional(schema);
    return [key, required ? "(required)" : fallback === undefined ? "(none)" : String(fallback), description ?? ""];
  });
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) => `  ${row[0]!.padEnd(widths[0]!)}  ${row[1]!.padEnd(widths[1]!)}  ${row[2]}`);
  return [`parley ${settings.service}: settings by environment`, "", ...lines].join("\n");
}

function url(fallback: string, protocols: string, what: string) {
  const expects = `an address like ${fallback}`;
  return Type.String({
    default: fallback,
    pattern: `^(${protocols})://[^\\s]+$`,
    expects,
    secret: true,
    description: what,
  });
}

function unknownKeys(settings: Settings, env: Readonly<Record<string, string | undefined>>): string[] {
  const known = Object.entries(settings.properties).flatMap(([key, schema]) =>
    isSecret(schema) ? [key, fileKeyOf(key)] : [key],
  );
  return Object.keys(env)
    .filter((key) => key.startsWith(`${settings.prefix}_`) && !known.includes(key))
    .map((key) => {
      const guess = nearest(key, known);
      return `${key} is not a setting of ${settings.service}${guess ? ` (did you mean ${guess}?)` : ""}`;
    });
}

// TypeBox converts generously ("1.5" and "true" to 1); a setting is taken only if it is written as what it is.
function convert(schema: TSchema, text: string): unknown {
  if (Type.IsInteger(schema)) return /^-?\d{1,15}$/.test(text) ? Value.Convert(schema, text) : text;
  if (Type.IsNumber(schema)) return /^-?\d{1,15}(\.\d+)?$/.test(text) ? Value.Convert(schema, text) : text;
  if (Type.IsBoolean(schema)) return /^(true|false|1|0)$/.test(text) ? Value.Convert(schema, text) : text;
  return text;
}

function check(key: string, schema: TSchema, value: unknown): string | undefined {
  if (value === undefined) return `${key} is required`;
  const { expects, secret, read } = schema as { expects?: string; secret?: boolean; read?(text: unknown): unknown };
  if (Value.Check(schema, value)) return read && faultOf(key, () => read(value));
  const reason = expects ? `must be ${expects}` : (Value.Errors(schema, value)[0]?.message ?? "is not valid");
  return `${key} ${reason}${secret ? "" : `, not "${String(value).slice(0, 80)}"`}`;
}

function faultOf(key: string, read: () => unknown): string | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    return `${key}: ${(error as Error).message}`;
  }
}

function isSecret(schema: TSchema): boolean {
  return (schema as { secret?: boolean }).secret === true;
}

// Folders may be relative to the working folder, and to PARLEY_DIR by its name.
function expandFolders(config: Record<string, unknown>): Record<string, unknown> {
  const folder = resolve(String(config.PARLEY_DIR));
  const expanded = Object.entries(config).map(([key, value]) => {
    if (key === "PARLEY_DIR") return [key, folder];
    if (typeof value !== "string") return [key, value];
    const path = value.replaceAll("$PARLEY_DIR", () => folder);
    return [key, key === "PARLEY_SECRETS" ? resolve(path) : path];
  });
  return Object.fromEntries(expanded);
}
