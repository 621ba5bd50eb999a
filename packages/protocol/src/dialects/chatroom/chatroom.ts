// The chatroom: a topic is a room, and JSON of two kinds is said in it, messages and notices. Most devices are guests.
import type { Dialect } from "../dialect.ts";
import { createRender } from "./render.ts";
import { createTake } from "./take.ts";
import { isOfGuests, mayUse, topicOf } from "./topics.ts";

export const chatroom: Dialect = {
  name: "chatroom",
  owns: isOfGuests,
  welcomes: { guests: true },
  subscribesAll: false,
  echoes: true,
  live: { topicOf, mayHear: mayUse },
  showsAtFirst: 0,
  open: (tree, parley) => ({ ...createTake(tree, parley), render: createRender(tree, parley) }),
};
