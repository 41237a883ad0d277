/** Which model on a hub, in which state. */
export interface HubId {
  /** `sentence-transformers/all-MiniLM-L6-v2`. */
  readonly model: string;
  /** The part after the organization: the model's name in a farm. */
  readonly name: string;
  /** A branch, a tag or a commit. */
  readonly revision: string;
}

const DEFAULT_REVISION = 'main';

// Source: validate_repo_id in https://github.com/huggingface/huggingface_hub, src/huggingface_hub/utils/_validators.py.
// Names of one part, as old models have them, are left out: any mistyped directory would be one.
const PART = /^(?=.{1,96}$)\w(?:[\w.-]*\w)?$/;
const REVISION = /^(?=.{1,128}$)\w[\w./-]*$/;
const COMMIT = /^[0-9a-f]{40}$/;

/** `org/name` or `org/name@revision`. @returns undefined for anything else. */
export function parseHubId(text: string): HubId | undefined {
  const [model = '', revision = DEFAULT_REVISION, ...more] = text.split('@');
  const [organization = '', name = '', ...deeper] = model.split('/');
  if (more.length > 0 || deeper.length > 0) return undefined;
  if (![organization, name].every((part) => PART.test(part))) return undefined;
  if (/--|\.\./.test(model) || model.endsWith('.git')) return undefined;
  if (!REVISION.test(revision) || /\.\.|\/\/|\/$/.test(revision)) return undefined;
  return { model, name, revision };
}

/** Whether a revision can never mean anything else. */
export function isCommit(revision: string): boolean {
  return COMMIT.test(revision);
}
