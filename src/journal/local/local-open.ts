import { LOCAL_DURABILITY } from '../../contract/durability.js';
import type { Options } from '../../contract/options.js';
import type { OpenSource } from '../open-source.js';
import { forgetByAndBy } from './forgetting.js';
import { LocalAppender } from './local-appender.js';
import { LocalSource, type LocalSourceParts } from './local-source.js';
import { LocalStore } from './local-store.js';

/** For a journal that the source has opened before. @throws OperatorFault when it is not there */
export function openLocalAppender(folder: string): LocalAppender {
  return new LocalAppender(new LocalStore(folder, { mustExist: true }));
}

/** @throws OperatorFault when the folder cannot be used */
export function openLocalSource(
  options: Options,
  parts: Omit<LocalSourceParts, 'retryMsMax'>,
): OpenSource {
  const store = new LocalStore(options.data);
  const stopForgetting = forgetByAndBy(store, {
    settledS: options.receiptsS,
    idempotencyS: options.idempotencyS,
  });
  const source = new LocalSource(store, { ...parts, retryMsMax: options.retryMsMax });
  return {
    source,
    onCommitted: () => source.ring(),
    ready: Promise.resolve(),
    durability: () => LOCAL_DURABILITY,
    close: async () => {
      stopForgetting();
      await source.close();
    },
    keys: (sinceMs) => source.keys(sinceMs),
  };
}
