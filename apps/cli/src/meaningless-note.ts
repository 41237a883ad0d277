import type { ModelRegistration } from '@embedfarm/contract';

/** What a person must know of a model with random weights; undefined for any other. */
export function meaninglessNote(
  models: readonly Pick<ModelRegistration, 'model' | 'meaningful'>[],
  name: string,
): string | undefined {
  const registration = models.find(({ model }) => model === name);
  if (registration === undefined || registration.meaningful) return undefined;
  return `Note: model ${name} has random weights: its vectors are exact, and carry no meaning.`;
}
