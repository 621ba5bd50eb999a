// Secret settings may stand in a file: NATS_URL_FILE names the file that holds the value of NATS_URL.
import { readFileSync } from "node:fs";

type Environment = Readonly<Record<string, string | undefined>>;

const suffix = "_FILE";

/** The variable that names the file of a setting. */
export function fileKeyOf(key: string): string {
  return `${key}${suffix}`;
}

/**
 * The value of one setting: its own, or the content of the file that `{key}_FILE` names, without the line break at its end. Throws an
 * Error that names the key, and never shows the value.
 */
export function readValue(env: Environment, key: string): string | undefined {
  const file = env[fileKeyOf(key)];
  if (file === undefined || file === "") return env[key];
  if (env[key]) throw new Error(`${key} and ${fileKeyOf(key)} are both set: which one counts?`);
  const text = contentOf(file, key).replace(/\r?\n$/, "");
  if (text === "") throw new Error(`${fileKeyOf(key)}: ${file} is empty`);
  return text;
}

function contentOf(file: string, key: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const reason = code === "ENOENT" ? "it is not there" : code === "EACCES" ? "permission denied" : String(code);
    throw new Error(`${fileKeyOf(key)}: cannot read ${file}: ${reason}`, { cause });
  }
}
