// A tree as auth-webhook would grant it, and what a router sees and says there.
import { parseTreeTopic, type TreeRefusal, treeMountpoint } from "@parley/protocol";
import { eventually, type TestContext, type TestServer } from "@parley/testkit";
import mqtt, { type IClientPublishOptions, type IPublishPacket } from "mqtt";
import type { Body, HookAnswer, HookServer } from "./surroundings.ts";

export interface Grant {
  uid?: string;
  subscribeAll?: boolean;
  filters?: string[];
  ephemeral?: true;
}

/** Where the tree of a device is. */
export function mountpointOf(clientId: string, uid = "alice"): string {
  return treeMountpoint({ owner: "user", p: "0", uid, clientId });
}

/** The answer of auth_on_register that gives the device a tree. */
export function grantTree(body: Body, { uid = "alice", subscribeAll, ...more }: Grant = {}): HookAnswer {
  const modifiers = { mountpoint: mountpointOf(body.client_id, uid), username: uid };
  return {
    body: { result: "ok", modifiers, ...(subscribeAll && { subscribe_all: true }), ...more },
  };
}

/** From now on every device gets a tree; native ones are those of whom `isNative` says so. */
export function grantTrees(hooks: HookServer, grant: Grant = {}, isNative = (_: string) => false): void {
  hooks.answer((hook, body) =>
    hook.startsWith("auth_on_register") && !isNative(body.client_id) ? grantTree(body, grant) : undefined,
  );
}

export interface TreeRouter {
  /** what devices published in trees, in order */
  heard: { topic: string; payload: string; packet: IPublishPacket }[];
  /** Publishes in a device's tree. */
  say(clientId: string, topic: string, payload: string | Buffer, options?: IClientPublishOptions): Promise<void>;
  /** What it was told of that device's publishes that were refused, in order. */
  refusedOf(clientId: string): TreeRefusal[];
  /** What that device published, on the topics that it wrote. */
  of(clientId: string): { topic: string; payload: string; packet: IPublishPacket; isWill: boolean }[];
}

/** A service at the broker that hears all that is published there, in trees and elsewhere. */
export async function startTreeRouter(t: TestContext, broker: TestServer): Promise<TreeRouter> {
  const login = { username: "parley", password: broker.password, protocolVersion: 5, reconnectPeriod: 0 } as const;
  const client = await mqtt.connectAsync(broker.url, login, false);
  t.after(() => client.end(true));
  const heard: TreeRouter["heard"] = [];
  client.on("message", (topic, payload, packet) => heard.push({ topic, payload: payload.toString(), packet }));
  await client.subscribeAsync("#", { qos: 2, nl: true, rap: true });
  return {
    heard,
    say: async (clientId, topic, payload, options = {}) => {
      await client.publishAsync(mountpointOf(clientId) + topic, payload, { qos: 1, ...options });
    },
    refusedOf: (clientId) =>
      heard.flatMap(({ topic, payload }) => {
        const found = parseTreeTopic(topic);
        return found?.refused && found.clientId === clientId ? [JSON.parse(payload) as TreeRefusal] : [];
      }),
    of: (clientId) => {
      return heard.flatMap((one) => {
        const found = parseTreeTopic(one.topic);
        if (found?.clientId !== clientId || found.refused || one.topic.startsWith(mountpointOf(clientId))) return [];
        return [{ ...one, topic: found.topic, isWill: found.will === true }];
      });
    },
  };
}

/** Resolves with the bodies of a hook's questions about a device, once there are so many. */
export async function toldOf(hooks: HookServer, hook: string, clientId: string, count: number): Promise<Body[]> {
  const found = (): Body[] => hooks.of(hook).filter((body) => body.client_id === clientId);
  await eventually(() => found().length >= count);
  return found();
}
