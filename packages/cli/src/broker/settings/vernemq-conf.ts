// VerneMQ's format of settings, a `name = value` a line, as deploy/vernemq/vernemq.conf has it.
import { joinComment, type Setting } from "./setting.ts";

export type ConfSetting = Setting & { value: string };

/** Throws with the line when it is none. */
export function readVernemqConf(text: string): ConfSetting[] {
  const settings: ConfSetting[] = [];
  let comment: string[] = [];
  let isAbove = false;
  for (const [at, line] of text
    .split("\n")
    .map((one) => one.trim())
    .entries()) {
    if (line.startsWith("#")) {
      // A comment behind a setting begins anew.
      comment = isAbove ? [line] : [...comment, line];
      isAbove = false;
      continue;
    }
    if (line === "") {
      comment = [];
      isAbove = false;
      continue;
    }
    const [, name, value] = /^([a-z][\w.]*)\s*=\s*(\S.*)$/i.exec(line) ?? [];
    if (name === undefined || value === undefined) throw new Error(`line ${at + 1}: name = value is expected`);
    if (settings.some((one) => one.name === name)) throw new Error(`line ${at + 1}: ${name} stands twice`);
    isAbove = true;
    settings.push({ name, value, why: joinComment(comment) });
  }
  return settings;
}
