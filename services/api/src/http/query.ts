// What stands behind the `?` of the routes that are no methods: those of files and of the export.
import { AppError } from "@parley/protocol";
import type { FastifyRequest } from "fastify";

/** The fields that may be there; another one is refused. */
export function readQuery<Field extends string = never>(
  { query }: Pick<FastifyRequest, "query">,
  ...fields: Field[]
): Partial<Record<Field, string | string[]>> {
  const unknown = Object.keys(query as object).find((name) => !fields.includes(name as Field));
  if (unknown !== undefined) throw new AppError("invalid_packet", `unknown field ${unknown.slice(0, 80)} in the query`);
  return query as Partial<Record<Field, string | string[]>>;
}
