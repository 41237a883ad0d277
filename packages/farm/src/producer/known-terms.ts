import { MAX_CHUNK_TEXTS, type EncodeRequest, type ModelRegistration } from '@embedfarm/contract';
import { sharedTerms, type SharedTerms } from './coalesce.ts';

/** The last terms made: a call that comes with the same frozen request has the same. */
export class KnownTerms {
  #known:
    | {
        readonly request: EncodeRequest;
        readonly registration: ModelRegistration;
        readonly isLarge: boolean;
        readonly terms: SharedTerms;
      }
    | undefined;

  /** @throws as sharedTerms. */
  of(request: EncodeRequest, registration: ModelRegistration, texts: number): SharedTerms {
    const known = this.#known;
    // Of the texts their number decides alone, and only the lane.
    const isLarge = texts > MAX_CHUNK_TEXTS;
    if (known?.request === request && known.registration === registration && known.isLarge === isLarge) {
      return known.terms;
    }
    const terms = sharedTerms(request, registration, texts);
    if (Object.isFrozen(request)) this.#known = { request, registration, isLarge, terms };
    return terms;
  }
}
