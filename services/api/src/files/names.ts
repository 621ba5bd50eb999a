// Names of files as others get them: no path, nothing that a file system or a terminal takes for more than a name.

const maxBytes = 200;
// Controls, what turns the direction of writing around, and what Windows takes in no name.
const refused = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}<>:"|?*]/gu;
const devices = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;

/** The last part of a path-like name, at most 200 bytes of UTF-8, its ending kept; `file` if nothing is left. */
export function harmlessName(given: string): string {
  const last = given.split(/[/\\]/).at(-1) ?? "";
  const clean = last
    .normalize("NFC")
    .replaceAll(refused, "")
    .replaceAll(/\s+/g, " ")
    .replace(/^[\s.]+|[\s.]+$/g, "");
  if (clean === "") return "file";
  return shorten(devices.test(clean) ? `_${clean}` : clean);
}

function shorten(name: string): string {
  if (Buffer.byteLength(name) <= maxBytes) return name;
  const ending = /\.[^.]{1,16}$/u.exec(name)?.[0] ?? "";
  let kept = "";
  let room = maxBytes - Buffer.byteLength(ending);
  for (const character of name.slice(0, name.length - ending.length)) {
    room -= Buffer.byteLength(character);
    if (room < 0) break;
    kept += character;
  }
  return kept + ending;
}

/** `Content-Disposition` [RFC 6266]: ASCII for old readers, and the whole name. */
export function disposition(kind: "inline" | "attachment", name: string): string {
  const ascii = name.replaceAll(/[^\x20-\x7e]|["\\%]/g, "_");
  const whole = encodeURIComponent(name).replaceAll(/['()*]/g, (one) => `%${one.charCodeAt(0).toString(16)}`);
  return `${kind}; filename="${ascii}"; filename*=UTF-8''${whole}`;
}
