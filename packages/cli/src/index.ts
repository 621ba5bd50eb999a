// @parley/cli: the `parley` program, to be run from other programs.
export { run } from "./program.ts";
