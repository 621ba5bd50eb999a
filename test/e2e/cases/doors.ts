// The three ways in: HTTP as any program speaks it, MQTT by a stock client, and the SDK.
import { callHttp, connectParley, type ParleyClient } from "@parley/client";
import { AppError, type JsonObject, type Method } from "@parley/protocol";
import mqtt, { type MqttClient } from "mqtt";
import type { TObject, TSchema } from "typebox";
import type { Caller, Session } from "./world.ts";

export type Answer = { result: unknown } | { code: string; message: string };

export interface Door {
  name: "http" | "mqtt" | "sdk";
  /** requests over MQTT have ids of its own */
  makesIds?: true;
  /** Undefined: this cannot be asked in this way. */
  ask(caller: Caller, method: AnyMethod, params: JsonObject, requestId?: string): Promise<Answer | undefined>;
  close(): Promise<void>;
}

export type AnyMethod = Method<TObject, TSchema>;

const answerMs = 20_000;

export function openHttp(base: string): Door {
  return {
    name: "http",
    async ask({ token }, method, params, requestId) {
      const address = addressOf(method, params);
      if (!address) return undefined;
      const { path, body } = address;
      const headers = {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(requestId === undefined ? {} : { "idempotency-key": requestId }),
      };
      const request = { method: method.http.verb, headers, ...(body === undefined ? {} : { body }) };
      const response = await fetch(`${base}${path}`, { ...request, signal: AbortSignal.timeout(answerMs) });
      const answer = (await response.json()) as { error?: { code: string; message: string } };
      return answer.error ? refusalOf(answer.error) : { result: answer };
    },
    close: async () => {},
  };
}

/** Undefined: what stands in a path or query is text, and of what is asked some would be understood otherwise. */
function addressOf(
  { http, params: schema }: AnyMethod,
  params: JsonObject,
): { path: string; body?: string } | undefined {
  const rest = new Map(Object.entries(params));
  const typeOf = (name: string) => (schema.properties as Record<string, { type?: string }>)[name]?.type;
  let isText = true;
  const path = http.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = rest.get(name);
    rest.delete(name);
    isText &&= value !== "" && canBeText(typeOf(name), value);
    return encodeURIComponent(String(value));
  });
  if (!isText) return undefined;
  if (http.verb === "POST" || http.verb === "PUT") return { path, body: JSON.stringify(Object.fromEntries(rest)) };
  const query = new URLSearchParams();
  for (const [name, value] of rest) {
    const many = typeOf(name) === "array" && isTexts(value);
    if (!many && !canBeText(typeOf(name), value)) return undefined;
    for (const one of [value].flat()) query.append(name, String(one));
  }
  return { path: query.size > 0 ? `${path}?${query}` : path };
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === "string");
}

// A text that is no number is one anywhere; a number where a text belongs would be taken for the text.
function canBeText(type: string | undefined, value: unknown): boolean {
  if (type === undefined || type === "array") return type === undefined && typeof value !== "object";
  return typeof value === "string" || typeof value === (type === "integer" ? "number" : type);
}

function refusalOf({ code, message }: { code: string; message: string }): Answer {
  return { code, message };
}

export function openMqtt(): Door {
  const devices = new Map<Caller, Promise<Device>>();
  let requests = 0;
  return {
    name: "mqtt",
    async ask(caller, method, params, requestId) {
      if (!caller.session) return undefined;
      const device = devices.get(caller) ?? openDevice(caller.session);
      devices.set(caller, device);
      const { ask } = await device;
      return ask({ id: requestId ?? `request${requests++}`, method: method.name, params });
    },
    async close() {
      for (const device of devices.values()) await (await device).client.endAsync(true);
    },
  };
}

interface Device {
  client: MqttClient;
  ask(request: JsonObject & { id: string }): Promise<Answer>;
}

async function openDevice({ mqtt: { host, port, username, password }, clientId, topics }: Session): Promise<Device> {
  const options = { username, password, clientId, protocolVersion: 5 } as const;
  const client = await mqtt.connectAsync(`mqtt://${host}:${port}`, options);
  client.on("error", () => {});
  const waiting = new Map<string, (answer: Answer) => void>();
  client.on("message", (_topic, payload) => {
    const { id, type, result, error, code, message } = JSON.parse(`${payload}`);
    const answer = type === "nack" ? refusalOf({ code, message }) : error ? refusalOf(error) : { result };
    waiting.get(id)?.(answer);
    waiting.delete(id);
  });
  await client.subscribeAsync(topics.subscribe[2] ?? "", { qos: 1 });
  return {
    client,
    ask(request) {
      const { promise, resolve, reject } = Promise.withResolvers<Answer>();
      const late = setTimeout(() => reject(new Error(`no answer to ${request.method}`)), answerMs);
      waiting.set(request.id, resolve);
      client.publish(topics.publish.rpc, JSON.stringify(request), { qos: 1 });
      return promise.finally(() => clearTimeout(late));
    },
  };
}

export function openSdk(base: string): Door {
  const clients = new Map<Caller, Promise<ParleyClient>>();
  const clientOf = (caller: Caller, session: Session) => {
    const client = clients.get(caller) ?? connectParley({ url: base, session });
    clients.set(caller, client);
    return client;
  };
  return {
    name: "sdk",
    makesIds: true,
    async ask(caller, method, params, requestId) {
      const { token, session } = caller;
      if (method.mqtt && session === undefined) return undefined;
      if (!method.mqtt && !addressOf(method, params)) return undefined;
      const key = requestId === undefined ? {} : { idempotencyKey: requestId };
      const options = { ...(token === undefined ? {} : { token }), ...key };
      try {
        const client = session && method.mqtt ? await clientOf(caller, session) : undefined;
        const asked = client ? client.request(method, params) : callHttp(base, method, params, options);
        return { result: await asked };
      } catch (error) {
        return refusalOf(AppError.from(error));
      }
    },
    async close() {
      for (const client of clients.values()) await (await client).close();
    },
  };
}
