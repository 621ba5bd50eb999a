// All cases, in the order of the table.
import type { Case } from "../case.ts";
import { asschat } from "./asschat.ts";
import { chatroom } from "./chatroom.ts";
import { dialects } from "./dialects.ts";
import { native } from "./native.ts";
import { ownTree } from "./own-tree.ts";
import { sessions } from "./sessions.ts";

export const cases: readonly Case[] = [...ownTree, ...sessions, ...native, ...dialects, ...asschat, ...chatroom];
