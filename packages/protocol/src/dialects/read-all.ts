// Lists that Parley answers in pages.
const pagesRead = 20;

/** All of a list that is answered in pages; of a very long one its beginning. */
export async function readAll<Page extends { next: string | null }, Row>(
  ask: (page: { page?: string }) => Promise<Page>,
  rowsOf: (page: Page) => readonly Row[],
): Promise<Row[]> {
  const rows: Row[] = [];
  let place: { page?: string } = {};
  for (let read = 0; read < pagesRead; read++) {
    const page = await ask(place);
    rows.push(...rowsOf(page));
    if (page.next === null) break;
    place = { page: page.next };
  }
  return rows;
}
