// What `npm run conformance` is told on its command line.
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { type BrokerName, brokerNames } from "./brokers.ts";
import type { Guest, System } from "./world.ts";

export const help = `npm run conformance -- [options]

  --broker KIND    ${brokerNames.join(", ")} (default mosquitto)
  --url URL        where devices connect: mqtt://, mqtts://, ws:// or wss://…/mqtt; may be given several times
  --hooks URL      auth-webhook, as the broker reaches it: stands in what has to be configured there
  --api URL        Parley's HTTP API
  --key-file FILE  with a server key (POST /keys): the cases make users
  --guest NAME:PASSWORD:PREFIX
                   one of GUESTS; without it the cases of the chatroom are left out
  --only WORD      of the cases: those that have it in what they say
  --page FILE      writes the table into this Markdown file, between its two comments
  --help

Without --url everything is started in a temporary folder: Mosquitto behind the edge. With it Parley and the broker run already;
what the broker must be told is printed first. Each case runs with a stock client, by MQTT 3.1.1 and 5, at each URL. Ends with 1
when a case does not hold that the broker promises, with 2 when it could not begin.`;

export interface Options {
  broker: BrokerName;
  /** undefined: everything is started here */
  running: Running | undefined;
  only: string | undefined;
  page: string | undefined;
}

/** A system that runs already. */
export interface Running extends System {
  urls: string[];
  hooks: string;
}

type Answer = Options | "help" | { problem: string };

export function readOptions(args: string[]): Answer {
  try {
    return checked(
      parseArgs({
        args,
        options: {
          broker: { type: "string", default: "mosquitto" },
          url: { type: "string", multiple: true, default: [] },
          hooks: { type: "string" },
          api: { type: "string" },
          "key-file": { type: "string" },
          guest: { type: "string" },
          only: { type: "string" },
          page: { type: "string" },
          help: { type: "boolean", default: false },
        },
      }).values,
    );
  } catch (error) {
    return { problem: (error as Error).message };
  }
}

interface Values {
  broker: string;
  url: string[];
  hooks?: string | undefined;
  api?: string | undefined;
  "key-file"?: string | undefined;
  guest?: string | undefined;
  only?: string | undefined;
  page?: string | undefined;
  help: boolean;
}

function checked(values: Values): Answer {
  if (values.help) return "help";
  const { broker: named, url: urls, only, page } = values;
  const broker = brokerNames.find((name) => name === named);
  if (!broker) return { problem: `--broker ${named}: one of ${brokerNames.join(", ")}` };
  const given = ["hooks", "api", "key-file", "guest"].find((name) => values[name as keyof Values] !== undefined);
  if (urls.length === 0 && broker !== "mosquitto")
    return { problem: `--broker ${broker}: it is not started here; say with --url where it runs` };
  if (urls.length === 0 && given) return { problem: `--${given}: it is of a system that runs already; say --url too` };
  if (urls.length === 0) return { broker, running: undefined, only, page };
  const wrong = urls.find((url) => !isUrl(url, /^(mqtt|ws)s?:$/));
  if (wrong !== undefined) return { problem: `--url ${wrong}: mqtt://, mqtts://, ws:// or wss://` };
  for (const name of ["hooks", "api"] as const) {
    const url = values[name];
    if (url === undefined) return { problem: `--${name} is missing: an address of Parley that goes with --url` };
    if (!isUrl(url, /^https?:$/)) return { problem: `--${name} ${url}: http:// or https://` };
  }
  const { "key-file": keyFile, guest } = values;
  if (keyFile === undefined) return { problem: "--key-file is missing: a file with a server key" };
  const key = readKey(keyFile);
  if (typeof key !== "string") return key;
  const own = guest === undefined ? undefined : readGuest(guest);
  if (own && "problem" in own) return own;
  const [api = "", hooks = ""] = [values.api, values.hooks].map((url) => url?.replace(/\/$/, ""));
  return { broker, running: { urls, hooks, api, key, guest: own }, only, page };
}

function isUrl(text: string, protocol: RegExp): boolean {
  return URL.canParse(text) && protocol.test(new URL(text).protocol);
}

function readKey(file: string): string | { problem: string } {
  try {
    const key = readFileSync(file, "utf8").trim();
    return /^\S+$/.test(key) ? key : { problem: `--key-file ${file}: it holds no key` };
  } catch (error) {
    return { problem: `--key-file ${file}: ${(error as NodeJS.ErrnoException).code ?? "it cannot be read"}` };
  }
}

function readGuest(text: string): Guest | { problem: string } {
  const [name = "", password = "", prefix = "", ...rest] = text.split(":");
  if (name === "" || password === "" || rest.length > 0)
    return { problem: "--guest: NAME:PASSWORD:PREFIX, as in GUESTS" };
  return { name, password, prefix };
}
