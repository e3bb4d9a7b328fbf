const JSON_TYPE = 'application/json';

/** `application/json`, with or without parameters, in any case; or no media type at all. */
export function isAcceptedMediaType(contentType: string): boolean {
  if (contentType === JSON_TYPE || contentType === '') return true;
  const semicolon = contentType.indexOf(';');
  const essence = semicolon < 0 ? contentType : contentType.slice(0, semicolon);
  return essence.trim().toLowerCase() === JSON_TYPE;
}
