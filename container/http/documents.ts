import type { RequestHandler } from 'express';
import { publicDocument } from '../contract/documents.ts';

/** `/openapi.json`, `/docs`: as the door answers them behind a Worker. */
export const serveDocuments: RequestHandler = (request, response, next) => {
  const document = request.method === 'GET' || request.method === 'HEAD' ? publicDocument(request.path) : undefined;
  if (!document) return next();
  for (const [name, value] of Object.entries(document.headers)) response.setHeader(name, value);
  response.end(request.method === 'HEAD' ? undefined : document.text);
};
