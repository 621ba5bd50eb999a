// All cases, in the order of the table.
import { nativeCases } from "@parley/cli/broker-check/cases";
import type { Case } from "../case.ts";
import { asschat } from "./asschat.ts";
import { chatroom } from "./chatroom.ts";
import { dialects } from "./dialects.ts";
import { ownTree } from "./own-tree.ts";
import { sessions } from "./sessions.ts";

export const cases: readonly Case[] = [...ownTree, ...sessions, ...nativeCases, ...dialects, ...asschat, ...chatroom];
