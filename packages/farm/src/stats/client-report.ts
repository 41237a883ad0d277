import { z } from 'zod';

/** Longest name of a client. */
export const MAX_CLIENT_NAME_LENGTH = 64;

/** As JSON; what is longer was put there by hand. */
const MAX_STORED_LENGTH = 4_000;

/** What a client is called, by the process that opens it: any text. */
export const clientNameSchema = z.string().min(1).max(MAX_CLIENT_NAME_LENGTH);

const clientReportSchema = z.object({
  /** Empty where its process gave it none. */
  name: z.string().max(MAX_CLIENT_NAME_LENGTH),
  host: z.string().max(255),
  pid: z.int().min(0),
  /** Texts of its calls and streams that the farm holds. */
  inFlightTexts: z.int().min(0),
});
/** What a client says of itself with each heartbeat. */
export type ClientReport = z.output<typeof clientReportSchema>;

/** Of a client that has said nothing that can be read. */
const NO_REPORT: ClientReport = { name: '', host: '', pid: 0, inFlightTexts: 0 };

export function parseClientReport(stored: unknown): ClientReport {
  if (typeof stored !== 'string' || stored.length > MAX_STORED_LENGTH) return NO_REPORT;
  try {
    return clientReportSchema.safeParse(JSON.parse(stored)).data ?? NO_REPORT;
  } catch {
    return NO_REPORT;
  }
}
