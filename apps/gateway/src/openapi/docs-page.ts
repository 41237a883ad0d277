import { createHash } from 'node:crypto';
import { z } from 'zod';
import { OPERATIONS, type Operation } from './operations.ts';

type Json = Record<string, unknown>;

const STYLE = `
:root { color-scheme: light dark; --line: #8884; --soft: #8882; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1.5rem; }
h2 { border-bottom: 1px solid var(--line); margin-top: 2.5rem; }
article { margin: 1.5rem 0; }
h3 { font: 600 1rem/1.5 ui-monospace, monospace; margin: 0; overflow-wrap: anywhere; }
h3 b { background: var(--soft); border-radius: 4px; padding: 0.1rem 0.4rem; text-transform: uppercase; }
p { margin: 0.3rem 0; }
table { border-collapse: collapse; display: block; overflow-x: auto; width: 100%; }
th, td { border-bottom: 1px solid var(--line); padding: 0.25rem 0.75rem 0.25rem 0; text-align: left; vertical-align: top; }
code { font-family: ui-monospace, monospace; }
pre { background: var(--soft); border-radius: 4px; overflow-x: auto; padding: 0.75rem; }
`;

/** The page has its own style, and nothing else: no script, no other file. */
export const DOCS_POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256')
  .update(STYLE)
  .digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

/** The OpenAPI document as a page that a person reads. */
export function docsPage(document: Json): string {
  const { schemas = {} } = document['components'] as { schemas?: Record<string, Json> };
  const tags = [...new Set(OPERATIONS.map(({ tag }) => tag))];
  const sections = tags.map((tag) => {
    const own = OPERATIONS.filter((operation) => operation.tag === tag);
    return `<section><h2>${escape(tag)}</h2>${own.map((one) => operationHtml(one, schemas)).join('')}</section>`;
  });
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Embedfarm: HTTP</title>
<style>${STYLE}</style>
</head>
<body>
<h1>Embedfarm over HTTP</h1>
<p>For programs: <a href="/openapi.json">openapi.json</a>. Where the gateway has keys, every call sends one:
<code>Authorization: Bearer KEY</code>.</p>
${sections.join('\n')}
</body>
</html>
`;
}

function operationHtml(
  { method, path, says, body, answers }: Operation,
  schemas: Record<string, Json>,
): string {
  const bodies = body === undefined ? [] : body instanceof z.ZodType ? [body] : body;
  const tables = bodies.map((one) => {
    const title = one.meta()?.title ?? '';
    return fieldsHtml(title, schemas[title] ?? {});
  });
  const types = Object.keys(answers).map((type) => `<code>${escape(type)}</code>`);
  return `<article><h3><b>${method}</b> ${escape(path)}</h3><p>${escape(says)}</p>${tables.join('')}${
    types.length === 0 ? '' : `<p>Answers ${types.join(' or ')}.</p>`
  }</article>`;
}

function fieldsHtml(title: string, schema: Json): string {
  const { properties = {}, required = [] } = schema as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  const rows = Object.entries(properties).map(
    ([name, field]) =>
      `<tr><td><code>${escape(name)}</code>${required.includes(name) ? ' *' : ''}</td><td>${escape(kindOf(field))}</td><td>${escape(textOf(field['description']))}</td></tr>`,
  );
  return `<table><thead><tr><th>${escape(title)}</th><th>is</th><th></th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

/** A schema in a few words. */
function kindOf({ type, enum: values, const: value, anyOf, default: preset }: Json): string {
  const kind = Array.isArray(values)
    ? values.map(String).join(' | ')
    : value !== undefined
      ? JSON.stringify(value)
      : Array.isArray(anyOf)
        ? anyOf.map((one) => kindOf(one as Json)).join(' | ')
        : textOf(type) || 'any';
  return preset === undefined ? kind : `${kind} = ${JSON.stringify(preset)}`;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function escape(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
