import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { cutShort, cutText } from './cut-short.ts';

type Jobs = Awaited<ReturnType<BullMQAdapter['getJobs']>>;
type Job = Jobs[number];

/** A reason may quote what was wrong; a stack says where. */
const MAX_REASON_LENGTH = 500;

/** A queue to look at: its jobs say what they are, not what is in them. */
export class ShownQueue extends BullMQAdapter {
  constructor(queue: ConstructorParameters<typeof BullMQAdapter>[0]) {
    super(queue, { readOnlyMode: true, allowRetries: false });
  }

  override async getJob(id: string): Promise<Job | undefined> {
    const job = await super.getJob(id);
    return job && shown(job);
  }

  override async getJobs(...asked: Parameters<BullMQAdapter['getJobs']>): Promise<Jobs> {
    return (await super.getJobs(...asked)).map(shown);
  }

  override async getJobLogs(id: string): Promise<string[]> {
    return (await super.getJobLogs(id)).map((line) => cutText(line));
  }
}

/** The job was read for this alone. */
function shown(job: Job): Job {
  job.data = cutShort(job.data);
  job.opts = cutShort(job.opts) as Job['opts'];
  job.returnvalue = cutShort(job.returnvalue);
  job.progress = cutShort(job.progress) as Job['progress'];
  if (job.failedReason) job.failedReason = cutText(job.failedReason, MAX_REASON_LENGTH);
  job.stacktrace = (job.stacktrace ?? []).map((stack) => cutText(String(stack), MAX_REASON_LENGTH));
  return job;
}
