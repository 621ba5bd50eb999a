// A driver: one stock library in a small program that is told what to publish and tells what arrives, line by line.
// In: `pub TOPIC PAYLOAD`. Out: `up` (connected and subscribed), `down REASON`, `in TOPIC PAYLOAD`, `log WORDS`.
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Session } from "@parley/client";
import type { StockClient } from "./catalogue.ts";

export interface DriverEvents {
  up(): void;
  in(topic: string, payload: string): void;
}

export interface Driver {
  publish(topic: string, payload: string): void;
  isUp(): boolean;
  /** how its program ended by itself: it has given up */
  ended(): string | undefined;
  /** its last words */
  words(): readonly string[];
  close(): void;
}

const wordsKept = 20;

/** `publisher`: the device that publishes, where it is not the one that listens. */
export function startDriver(
  client: StockClient,
  folder: string,
  { session, publisher }: { session: Session; publisher: Session },
  events: DriverEvents,
): Driver {
  const { program, args } = client.run(folder);
  const child = spawn(program, args, {
    env: { ...process.env, CLIENT_DIR: folder, ...environmentOf(client, session, publisher) },
    stdio: ["pipe", "pipe", "pipe"],
  });
  let up = false;
  let ended: string | undefined;
  let closed = false;
  const words: string[] = [];
  const remember = (line: string) => {
    words.push(line);
    if (words.length > wordsKept) words.shift();
  };
  createInterface({ input: child.stderr }).on("line", remember);
  createInterface({ input: child.stdout }).on("line", (line) => {
    const { word, rest } = split(line);
    if (word === "in") {
      const { word: topic, rest: payload } = split(rest);
      events.in(topic, payload);
      return;
    }
    remember(line);
    if (word === "up") events.up();
    if (word === "up" || word === "down") up = word === "up";
  });
  child.stdin.on("error", () => {});
  child.on("error", (error) => remember(`${error}`));
  child.on("close", (code, signal) => {
    up = false;
    if (!closed) ended = `ended with ${code ?? signal}`;
  });
  return {
    publish: (topic, payload) => void child.stdin.write(`pub ${topic} ${payload}\n`),
    isUp: () => up,
    ended: () => ended,
    words: () => words,
    close() {
      closed = true;
      end(child);
    },
  };
}

function environmentOf(client: StockClient, { clientId, mqtt, topics }: Session, publisher: Session) {
  return {
    MQTT_VERSION: `${client.version}`,
    MQTT_HOST: mqtt.host,
    MQTT_PORT: `${mqtt.port}`,
    MQTT_WS: mqtt.ws,
    MQTT_USER: mqtt.username,
    MQTT_PASSWORD: mqtt.password,
    MQTT_CLIENT_ID: clientId,
    MQTT_SUBSCRIBE: topics.subscribe.join(" "),
    MQTT_PUBLISHER_ID: publisher.clientId,
    MQTT_PUBLISHER_PASSWORD: publisher.mqtt.password,
  };
}

function split(line: string): { word: string; rest: string } {
  const space = line.indexOf(" ");
  return space < 0 ? { word: line, rest: "" } : { word: line.slice(0, space), rest: line.slice(space + 1) };
}

function end(child: ChildProcess): void {
  child.stdin?.end();
  const late = setTimeout(() => child.kill("SIGKILL"), 2_000);
  child.once("close", () => clearTimeout(late));
}
