// Which bytes of a file are asked for [RFC 9110 14].

export type Asked = { kind: "all" } | { kind: "range"; start: number; end: number } | { kind: "unsatisfiable" };

const all: Asked = { kind: "all" };

/** One range of bytes; several, another unit or what is no range at all: everything. Both ends are included. */
export function readRange(header: string | undefined, size: number): Asked {
  const [, from = "", to = ""] = /^bytes=\s*(\d{0,15})-(\d{0,15})\s*$/i.exec(header ?? "") ?? [];
  if (from === "" && to === "") return all;
  if (from === "") {
    const last = Math.min(Number(to), size);
    return last === 0 ? { kind: "unsatisfiable" } : { kind: "range", start: size - last, end: size - 1 };
  }
  if (to !== "" && Number(to) < Number(from)) return all;
  if (Number(from) >= size) return { kind: "unsatisfiable" };
  return { kind: "range", start: Number(from), end: to === "" ? size - 1 : Math.min(Number(to), size - 1) };
}

/** True if If-None-Match names this entity tag, which is a strong one. */
export function namesTag(header: string | undefined, tag: string): boolean {
  const tags = header?.split(",").map((one) => one.trim()) ?? [];
  return tags.some((one) => one === tag || one === "*" || one === `W/${tag}`);
}
