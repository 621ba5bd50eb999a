// One logged-in device of a run: asks by MQTT as a stock client would.
import { deviceTopic, type Method, type ParamsOf, type ResultOf, uplinkTopic } from "@parley/protocol";
import { ingestPartition } from "@parley/protocol/partition";
import type { Cluster } from "@parley/testkit";
import { openSession } from "./session.ts";

export interface Device {
  ask<M extends Method>(method: M, params: ParamsOf<M>): Promise<ResultOf<M>>;
  close(): Promise<void>;
}

interface Answer {
  id: string;
  result?: unknown;
  error?: { code: string; message: string };
}

/** Connected through the edge. */
export async function openDevice(cluster: Cluster, uid: string, token: string): Promise<Device> {
  const clientId = `${uid}:bench`;
  const waiting = new Map<string, PromiseWithResolvers<unknown>>();
  const { host, port } = cluster.run().mqtt;
  const login = { url: `mqtt://${host}:${port}`, clientId, username: uid, password: token };
  const session = await openSession(login, [deviceTopic(uid, clientId)], (payload) => {
    const { id, result, error } = JSON.parse(payload.toString()) as Answer;
    if (error) waiting.get(id)?.reject(new Error(`${error.code}: ${error.message}`));
    else waiting.get(id)?.resolve(result);
    waiting.delete(id);
  });
  const topic = uplinkTopic({ p: ingestPartition(clientId), uid, clientId, verb: "rpc" });
  let last = 0;
  return {
    ask<M extends Method>(method: M, params: ParamsOf<M>) {
      const id = String(++last);
      const answer = Promise.withResolvers<unknown>();
      waiting.set(id, answer);
      void session.publish(topic, Buffer.from(JSON.stringify({ id, method: method.name, params })), 1);
      return answer.promise as Promise<ResultOf<M>>;
    },
    close: () => session.close({ graceful: true }),
  };
}
