// Objects held against Kubernetes' own schemas.
import { Ajv, type ValidateFunction } from "ajv";
import type { Resource } from "../resources.ts";
import { schemaOf } from "../schemas.ts";

const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
const validators = new Map<string, ValidateFunction>();

export function schemaComplaints(resources: readonly Resource[]): string[] {
  return resources.flatMap((resource) => {
    const { apiVersion, kind, metadata } = resource;
    const where = `${kind} ${metadata?.name}`;
    const validate = validatorOf(apiVersion, kind);
    if (validate === undefined) return [`${where}: no schema of ${apiVersion} ${kind} is kept`];
    if (validate(resource)) return [];
    return (validate.errors ?? []).map(({ instancePath, message, params }) => {
      const { additionalProperty } = params as { additionalProperty?: string };
      return `${where}: ${instancePath} ${message}${additionalProperty === undefined ? "" : ` (${additionalProperty})`}`;
    });
  });
}

function validatorOf(apiVersion: string, kind: string): ValidateFunction | undefined {
  const key = `${apiVersion} ${kind}`;
  const schema = schemaOf(apiVersion, kind);
  if (schema === undefined) return undefined;
  const validate = validators.get(key) ?? ajv.compile(schema);
  validators.set(key, validate);
  return validate;
}
