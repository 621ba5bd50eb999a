// What a cluster needs of a server: how it is configured, started and seen to be ready; one file each implements it.
import type { Program } from "../processes/child.ts";

/** How a server is reached: 127.0.0.1 is every local user's, so each asks for its password, of `A-Z a-z 0-9 _ -`. */
export type ServerDoor = { port: number; password: string };

/** Where a server lives. `settings` are further lines of mosquitto's configuration: of two lines the later one counts. */
export type ServerPlace = ServerDoor & { dir: string; settings?: readonly string[] };

/** The last words of a server that is being started again, and where to tell what is done about them. */
export type LifeBefore = { lastWord: string; log(line: string): void };

export type Server = {
  /**
   * It runs in its own folder and its file names nothing outside, so that no path needs to be quoted there. `before`: how
   * the life before this one ended, if there was one.
   */
  prepare(place: ServerPlace, before?: LifeBefore): Promise<Program>;
  ready(door: ServerDoor): Promise<boolean>;
  /** For services. Mosquitto's has no password: they show it the services' secret. */
  url(door: ServerDoor): string;
};
