import { Router } from 'express';
import { DOCS_POLICY, docsPage } from './docs-page.ts';
import { openapiDocument } from './openapi-document.ts';

/** `/openapi.json`, and `/docs` for people. Both say what anybody may know, and need no key. */
export function docsPages(): Router {
  const document = openapiDocument();
  const page = docsPage(document);
  const router = Router();
  router.get('/openapi.json', (_request, response) => {
    response.json(document);
  });
  router.get('/docs', (_request, response) => {
    response.set('Content-Security-Policy', DOCS_POLICY).type('text/html').send(page);
  });
  return router;
}
