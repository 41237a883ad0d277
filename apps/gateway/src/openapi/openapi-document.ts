import { z } from 'zod';
import { OPERATIONS, type Operation } from './operations.ts';

type Json = Record<string, unknown>;

/** The gateway as an OpenAPI document (3.1), made of the schemas that it checks calls with. */
export function openapiDocument(): Json {
  const schemas: Json = {};
  const paths: Record<string, Json> = {};
  for (const operation of OPERATIONS) {
    paths[operation.path] ??= {};
    (paths[operation.path] as Json)[operation.method] = operationJson(operation, schemas);
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Embedfarm', version: '1', description: 'Text in, exact BERT vectors out.' },
    security: [{}, { bearer: [] }, { header: [] }],
    paths,
    components: {
      schemas,
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        header: { type: 'apiKey', in: 'header', name: 'X-Api-Key' },
      },
    },
  };
}

function operationJson(operation: Operation, schemas: Json): Json {
  const {
    path,
    tag,
    says,
    body,
    bodyType = 'application/json',
    query,
    answers,
    status = 200,
    error,
  } = operation;
  const parameters = [
    ...[...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
      name,
      in: 'path',
      required: true,
      schema: { type: 'string' },
    })),
    ...(query ? queryParameters(query) : []),
  ];
  const content = Object.entries(answers).map(([type, answer]): [string, Json] =>
    typeof answer === 'string'
      ? [type, { schema: { description: answer } }]
      : [type, { schema: referTo(answer, schemas, 'output') }],
  );
  return {
    tags: [tag],
    summary: says,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: { [bodyType]: { schema: referTo(body, schemas, 'input') } },
          },
        }),
    responses: {
      [status]: {
        description: says,
        ...(content.length === 0 ? {} : { content: Object.fromEntries(content) }),
      },
      ...(error === undefined
        ? {}
        : {
            default: {
              description: 'What is wrong; with 429 and 503 Retry-After says when to come back.',
              content: { 'application/json': { schema: referTo(error, schemas, 'output') } },
            },
          }),
    },
  };
}

function queryParameters(query: z.ZodObject): Json[] {
  const { properties = {} } = jsonSchema(query, 'input') as { properties?: Record<string, Json> };
  return Object.entries(properties).map(([name, schema]) => ({ name, in: 'query', required: false, schema }));
}

/** A schema stands in the document once, under its title. */
function referTo(schema: z.ZodType | readonly z.ZodType[], schemas: Json, io: 'input' | 'output'): Json {
  if (!(schema instanceof z.ZodType)) return { oneOf: schema.map((one) => referTo(one, schemas, io)) };
  const title = schema.meta()?.title;
  if (title === undefined) return jsonSchema(schema, io);
  schemas[title] ??= jsonSchema(schema, io);
  return { $ref: `#/components/schemas/${title}` };
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Json {
  const {
    $schema: _dialect,
    id: _id,
    ...json
  } = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as Json;
  return json;
}
