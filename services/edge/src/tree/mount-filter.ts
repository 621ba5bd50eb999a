// A filter as a device with a tree writes it, and the same below its mountpoint.
import { isTopicFilter, levelsMax } from "../packets/topic.ts";

const filterBytesMax = 65_535;
const shared = /^\$share\/([^/+#]+)\/(.+)$/s;

export interface MountedFilter {
  filter: Buffer;
  isShared: boolean;
}

/** undefined: it is no filter, or too long for a tree. */
export function mountFilter(filter: string, mountpoint: Buffer): MountedFilter | undefined {
  const isShared = filter === "$share" || filter.startsWith("$share/");
  // A group of the device's own: nobody else can subscribe in its tree.
  const [, group, inner] = isShared ? (shared.exec(filter) ?? []) : [filter, undefined, filter];
  if (inner === undefined || !isTopicFilter(inner)) return undefined;
  const before = group === undefined ? "" : `$share/${group}/`;
  const bytes = Buffer.concat([Buffer.from(before), mountpoint, Buffer.from(inner)]);
  return bytes.length > filterBytesMax || levelsOf(bytes) > levelsMax ? undefined : { filter: bytes, isShared };
}

function levelsOf(filter: Buffer): number {
  let levels = 1;
  for (const byte of filter) if (byte === 0x2f) levels += 1;
  return levels;
}
