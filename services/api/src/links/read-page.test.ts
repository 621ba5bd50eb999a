import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "@parley/protocol";
import { readPage } from "./read-page.ts";

const url = new URL("https://news.example/a/b");
const read = (html: string | Buffer, charset: string | null = null) =>
  readPage({ url, bytes: Buffer.from(html as string), charset });
const latin = (text: string) => Buffer.from(text, "latin1");

const pages: [what: string, page: ReturnType<typeof read>, expected: object | undefined][] = [
  [
    "Open Graph's words",
    read(`<html><head><title>T</title><meta property="og:title" content="Fish &amp; Chips &#x1F35F;">
      <meta content='Two
        lines' name=description><meta property=og:site_name content="News"><meta property="og:image" content="/i.png">`),
    { title: "Fish & Chips 🍟", description: "Two lines", site: "News", image: "https://news.example/i.png" },
  ],
  [
    "a title and description of HTML",
    read("<TITLE> A &lt;b&gt; </TITLE><meta NAME=Description CONTENT=d>"),
    {
      ...{ title: "A <b>", description: "d", site: "news.example" },
    },
  ],
  [
    "the first of each",
    read("<title>1</title><svg><title>2</title></svg><meta content=x content=y name=description>"),
    {
      ...{ title: "1", description: "x", site: "news.example" },
    },
  ],
  [
    "nothing of scripts and comments",
    read("<script>'<title>no</title>'</script><!--<title>no</title>--><title>yes</title>"),
    { title: "yes", site: "news.example" },
  ],
  [
    "no image that is no page's",
    read('<title>t</title><meta property="og:image" content="javascript:alert(1)">'),
    {
      ...{ title: "t", site: "news.example" },
    },
  ],
  [
    "no controls and no turned writing",
    read("<title>a\u0007\u202eb&#xD800;</title>"),
    { title: "a b\ufffd", site: "news.example" },
  ],
  ["nothing of a page that says nothing", read("<p>hello"), undefined],
  [
    "the server's charset",
    read(latin("<title>caf\u00e9</title>"), "iso-8859-1"),
    { title: "café", site: "news.example" },
  ],
  [
    "the page's charset",
    read(latin('<meta charset="windows-1251"><title>\u00ef</title>')),
    { title: "п", site: "news.example" },
  ],
  ["UTF-8 where a charset is made up", read("<title>é</title>", "klingon"), { title: "é", site: "news.example" }],
  [
    "a byte order mark's charset",
    read(Buffer.from("\ufeff<title>é</title>", "utf16le"), "utf-8"),
    { title: "é", site: "news.example" },
  ],
];
for (const [what, page, expected] of pages) test(`of a page is read: ${what}`, () => assert.deepEqual(page, expected));

test("what is too long is cut between characters as people see them", () => {
  const family = "👨‍👩‍👧‍👦";
  const { title = "" } = read(`<title>abc${family.repeat(50)}</title>`) ?? {};
  assert.ok(title.length <= limits.previewTitle && title.length > limits.previewTitle - family.length - 1);
  assert.equal(title.replaceAll(family, ""), "abc…");
});

test("a page whose tags are nested a hundred thousand deep is read", () => {
  const bytes = Buffer.from(`${"<p><b>".repeat(87_000)}<title>t</title>`);
  assert.equal(readPage({ url, bytes, charset: null })?.title, "t");
});
