import { LocalAppender } from './local-appender.js';
import { LocalSource, type LocalSourceParts } from './local-source.js';
import { LocalStore } from './local-store.js';

/** For a journal that the source has opened before. @throws OperatorFault when it is not there */
export function openLocalAppender(folder: string): LocalAppender {
  return new LocalAppender(new LocalStore(folder, { mustExist: true }));
}

/** @throws OperatorFault when the folder cannot be used */
export function openLocalSource(folder: string, parts: LocalSourceParts): LocalSource {
  return new LocalSource(new LocalStore(folder), parts);
}
