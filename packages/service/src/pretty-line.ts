import { z } from 'zod';

const LEVELS: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info ',
  40: 'WARN ',
  50: 'ERROR',
  60: 'FATAL',
};

const BREAKING = /[\p{Cc}\u2028\u2029]/gu;

const logLineSchema = z.looseObject({
  level: z.number(),
  time: z.number(),
  name: z.string().optional(),
  msg: z.string().optional(),
  err: z.looseObject({ message: z.string(), stack: z.string().optional() }).optional(),
});

/** A log line for eyes: `18:02:11 info  worker: message key=value`. A stack follows where the level is error. */
export function prettyLine(json: string): string {
  const line = parseLine(json);
  if (line === undefined) return json;
  const { level, time, name, msg, err, pid, ...fields } = line;
  const at = new Date(time).toTimeString().slice(0, 8);
  const shown = Object.entries(fields).map(([key, value]) => `${key}=${showValue(value)}`);
  const head = [at, LEVELS[level] ?? String(level), name === undefined ? '' : `${name}[${String(pid)}]:`];
  const error =
    err === undefined ? [] : [level >= 50 && err.stack !== undefined ? err.stack : onOneLine(err.message)];
  return `${[...head, onOneLine(msg ?? ''), ...shown, ...error].filter((part) => part !== '').join(' ')}\n`;
}

/** What comes from elsewhere must not end the line, nor move the cursor. */
function onOneLine(text: string): string {
  return text.replaceAll(
    BREAKING,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function parseLine(json: string): z.output<typeof logLineSchema> | undefined {
  try {
    return logLineSchema.safeParse(JSON.parse(json)).data;
  } catch {
    return undefined;
  }
}

function showValue(value: unknown): string {
  return onOneLine(typeof value === 'string' ? value : JSON.stringify(value));
}
