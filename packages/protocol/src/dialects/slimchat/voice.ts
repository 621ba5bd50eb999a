// On which topics a device hears what it is told: in the form that it subscribes, else publishes on, else the draft's own.
import type { Tree } from "../../trees.ts";
import type { Said } from "../dialect.ts";
import { clientTopic, convTopic, type Form, formOf, userTopic } from "./oids.ts";

export interface Voice {
  /** of the device's user */
  uid: string;
  toUser(packet: object): Said;
  toDevice(packet: object): Said;
  inConversation(conv: string, packet: object): Said;
  /** The device published so. */
  published(form: Form): void;
  subscribed(filters: readonly string[]): void;
}

export function createVoice({ uid, clientId, filters }: Tree): Voice {
  let subscribed = formOfAny(filters);
  let published: Form | undefined;
  const form = () => subscribed ?? published ?? "$IM/";
  const said = (topic: string, packet: object): Said => ({ topic, payload: JSON.stringify(packet) });
  return {
    uid,
    toUser: (packet) => said(userTopic(form(), uid), packet),
    toDevice: (packet) => said(clientTopic(form(), uid, clientId), packet),
    inConversation: (conv, packet) => said(convTopic(form(), conv, { uid, clientId }), packet),
    published(used) {
      published = used;
    },
    subscribed(added) {
      subscribed = formOfAny(added) ?? subscribed;
    },
  };
}

function formOfAny(filters: readonly string[]): Form | undefined {
  return filters.map(formOf).find((form) => form !== undefined);
}
