// A TypeBox schema as a check that says what is wrong and where, in one line.
import type { Static, TSchema } from "typebox";
import { Compile } from "typebox/compile";
import { AppError } from "./errors.ts";
import { idFormats } from "./ids.ts";

export type Check<T extends TSchema> = (value: unknown) => Static<T> | AppError;

/** Compiles a schema at first use. The check returns the value itself, or `invalid_packet` that names the field. */
export function checkOf<T extends TSchema>(schema: T): Check<T> {
  let compiled: ReturnType<typeof Compile<T>> | undefined;
  return (value) => {
    compiled ??= Compile(schema);
    if (compiled.Check(value)) return value as Static<T>;
    return new AppError("invalid_packet", describe(compiled.Errors(value) as SchemaError[]));
  };
}

interface SchemaError {
  keyword: string;
  instancePath: string;
  message: string;
  params?: { additionalProperties?: string[]; requiredProperties?: string[]; allowedValue?: unknown; format?: string };
}

function describe(errors: SchemaError[]): string {
  const error = errors.find(({ keyword }) => keyword !== "boolean");
  if (!error) return "not of its schema";
  const where = error.instancePath.slice(1).replaceAll("/", ".");
  const unknown = error.params?.additionalProperties;
  if (unknown?.length) return `unknown field ${[where, unknown[0]].filter(Boolean).join(".").slice(0, 80)}`;
  const missing = error.params?.requiredProperties;
  if (missing?.length) return `${[where, missing[0]].filter(Boolean).join(".")} is missing`;
  if (error.keyword === "const") return `${where} must be one of ${allowedValues(errors, error.instancePath)}`;
  const format = idFormats[error.params?.format ?? ""];
  return `${where || "the packet"} ${format === undefined ? error.message : `must be ${format.words}`}`;
}

function allowedValues(errors: SchemaError[], path: string): string {
  const here = errors.filter(({ keyword, instancePath }) => keyword === "const" && instancePath === path);
  return here.map(({ params }) => JSON.stringify(params?.allowedValue)).join(", ");
}
