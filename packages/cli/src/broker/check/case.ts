// What a case is: something that holds at a broker, seen by devices.
import type { World } from "./world.ts";

export interface Case<W extends World> {
  /** Whose case it is: `native`, or what a suite beyond this one names. */
  about: string;
  /** What holds, in a sentence. */
  holds: string;
  /** Of MQTT 5 alone. */
  only?: 5;
  /** Answers what was seen, in a few words; throws what was not. */
  run(world: W): Promise<string>;
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
