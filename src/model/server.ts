import type { Options } from './options.js';

/**
 * The options of `forebay serve`, in camelCase and each of its own type: `--drain-rate 60` is `drainRate: 60`. An
 * option that is left out has its default. Neither the environment nor a configuration file is read.
 */
export type ServeOptions = {
  readonly [Key in Exclude<keyof Options, 'handler' | 'schema'>]?: Options[Key] | undefined;
} & {
  /** `simulate`, `postgres`, the path of an ES module from the current folder, or its file URL. */
  readonly handler?: string | { readonly href: string } | undefined;
  /** The path of a JSON Schema, or its file URL; `true` for any JSON object. */
  readonly schema?: string | true | { readonly href: string } | undefined;
};

/** A server that runs in this process. */
export interface ForebayServer {
  /** The base URL for orders; `unix:/path` with `listen`. */
  readonly url: string;
  /** Where the live page, `/metrics`, `/healthz` and `/readyz` are. */
  readonly adminUrl: string;
  /**
   * The ordered shutdown: answers the orders that were accepted, waits for the handler, settles, ends all threads.
   * A second call returns the same promise.
   *
   * @throws Error a stage did not stop in order, or `shutdownMsMax` has passed; what is not settled stays in the journal
   */
  close(): Promise<void>;
  /** Settles as `close` does. Rejects if a fault stops the server. */
  readonly closed: Promise<void>;
}
