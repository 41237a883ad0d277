import type { RequestStatus } from '@embedfarm/sdk';

/** A request as its owner sees it. */
export function requestJson({ tenant: _tenant, ...status }: RequestStatus): Omit<RequestStatus, 'tenant'> {
  return status;
}
