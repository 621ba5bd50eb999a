// Calls of methods by their names, over HTTP and as MQTT's requests come to api.
import assert from "node:assert/strict";
import { AppError, type Method, methods } from "@parley/protocol";
import { callMethod } from "@parley/runtime";
import type { TestApi } from "./surroundings.ts";

// biome-ignore lint/suspicious/noExplicitAny: what api answers is what the tests look at
export type Answer = any;
/** Throws what is refused. */
export type Ask = (uid: string, name: string, params?: Record<string, unknown>) => Promise<Answer>;

export function createAsking(api: TestApi, tokenOf: (uid: string) => string): { byHttp: Ask; byMqtt: Ask } {
  let requests = 0;
  return {
    // By the method's route, as SlimChat's clients do.
    async byHttp(uid, name, params = {}) {
      const { http } = methods.get(name) as Method;
      const rest = { ...params };
      const path = http.path.replaceAll(/\{(\w+)\}/g, (_, field: string) => {
        const value = encodeURIComponent(String(rest[field]));
        delete rest[field];
        return value;
      });
      const isQuery = http.verb === "GET" || http.verb === "DELETE";
      const query = isQuery ? `?${new URLSearchParams(rest as Record<string, string>)}` : "";
      const { status, body } = await api.call(http.verb, `${path}${query}`, {
        token: tokenOf(uid),
        ...(isQuery ? {} : { json: rest }),
      });
      if (status !== 200) throw AppError.fromWire(body.error);
      return body;
    },
    byMqtt(uid, name, params = {}) {
      const caller = { uid, clientId: `${uid}:web`, via: "mqtt", requestId: `r${requests++}` } as const;
      return callMethod(api.nats, methods.get(name) as Method, caller, params, { timeoutMs: 12_000 });
    },
  };
}

export function refused(code: string, reason?: string): (error: AppError) => boolean {
  return (error) => {
    assert.deepEqual([error.code, reason && error.details?.reason], [code, reason], error.message);
    return true;
  };
}
