// What may be the address of a page.
import { limits } from "@parley/protocol";

/** undefined: it is no address of a page by HTTP or HTTPS, or names a user. */
export function readPageAddress(text: string, base?: URL): URL | undefined {
  const url = URL.parse(text, base);
  const isPage = url && ["http:", "https:"].includes(url.protocol) && url.username === "" && url.password === "";
  return isPage && url.href.length <= limits.addressCharacters ? url : undefined;
}
