import type { IncomingMessage } from 'node:http';
import type { HeaderName, RequestHead } from '../http.js';

export class NodeHead implements RequestHead {
  readonly #rawHeaders: readonly string[];
  readonly #method: string;
  readonly #parameter: string;

  constructor({ rawHeaders }: IncomingMessage, method: string, parameter: string) {
    this.#rawHeaders = rawHeaders;
    this.#method = method;
    this.#parameter = parameter;
  }

  getMethod(): string {
    return this.#method;
  }

  getHeader(name: HeaderName): string {
    const wanted = name as string;
    for (let i = 0; i < this.#rawHeaders.length; i += 2) {
      const found = this.#rawHeaders[i]!;
      if (found.length === wanted.length && found.toLowerCase() === wanted) {
        return this.#rawHeaders[i + 1]!;
      }
    }
    return '';
  }

  getParameter(): string {
    return this.#parameter;
  }
}
