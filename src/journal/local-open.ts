import { LocalAppender } from './local-appender.js';
import { LocalSource, type LocalSourceParts } from './local-source.js';
import { LocalStore } from './local-store.js';

/** @throws OperatorFault when the folder cannot be used */
export function openLocalAppender(folder: string): LocalAppender {
  return new LocalAppender(new LocalStore(folder));
}

/** @throws OperatorFault when the folder cannot be used */
export function openLocalSource(folder: string, parts: LocalSourceParts): LocalSource {
  return new LocalSource(new LocalStore(folder), parts);
}
