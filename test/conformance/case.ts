// What a case of the table is.
import type { World } from "./world.ts";

/** Whose cases: of a device's own tree, of Parley's own protocol, of one of the others. */
export type About = "own tree" | "native" | "slimchat" | "mqtt-chat" | "chat" | "asschat" | "chatroom" | "all together";

export interface Case {
  about: About;
  /** What holds, in a sentence. */
  holds: string;
  /** Of MQTT 5 alone. */
  only?: 5;
  /** It needs a guest's login. */
  needsGuest?: true;
  /** Answers what was seen, in a few words; throws what was not. */
  run(world: World): Promise<string>;
}

/** Throws unless it is so. */
export function must(is: boolean, otherwise: string): void {
  if (!is) throw new Error(otherwise);
}

/** Throws when one of these heard something with the mark. */
export function mustNotHear(
  mark: string,
  ...devices: readonly { clientId: string; heard: readonly { topic: string; text: string }[] }[]
): void {
  for (const { clientId, heard } of devices)
    for (const { topic, text } of heard)
      must(!text.includes(mark) && !topic.includes(mark), `${clientId} heard ${text.slice(0, 80)} on ${topic}`);
}
