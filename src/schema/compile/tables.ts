import type { ByteDfa } from '../pattern/byte-dfa.js';
import { PatternCompiler } from '../pattern/compiler.js';
import type { ByteCheck } from '../pattern/date-time.js';
import { compileFormat } from '../pattern/formats.js';
import { LeftToAjv } from './left-to-ajv.js';

/** Most bytes of the tables of one schema. */
const TABLE_BYTES_MAX = 16 * 1024 * 1024;
/** Patterns that may turn out to be too large for a table, each after up to 20 ms. */
const FAILURES_MAX = 50;

/** The tables for the patterns and formats of one schema, within bounds of memory and time. */
export class Tables {
  readonly #compiler = new PatternCompiler();
  readonly #counted = new Set<ByteDfa>();
  #bytes = 0;
  #failures = 0;

  /** The table of a pattern, with the flag that ajv uses. @throws LeftToAjv there is none */
  pattern(keyword: string, source: string): ByteDfa {
    this.#checkBounds(keyword);
    return this.#counting(keyword, this.#compiler.compile(source, 'u'));
  }

  /** @throws LeftToAjv there is none */
  format(name: string): ByteDfa | ByteCheck {
    this.#checkBounds('format');
    const compiled = compileFormat(name, this.#compiler);
    return 'end' in compiled ? compiled.end : this.#counting('format', compiled);
  }

  #checkBounds(keyword: string): void {
    if (this.#bytes > TABLE_BYTES_MAX) {
      const size = TABLE_BYTES_MAX / 1024 / 1024;
      throw new LeftToAjv(keyword, `the tables of the schema are larger than ${size} MiB`);
    }
    if (this.#failures > FAILURES_MAX) {
      throw new LeftToAjv(keyword, `more than ${FAILURES_MAX} patterns have no table`);
    }
  }

  #counting(keyword: string, compiled: ByteDfa | { readonly why: string }): ByteDfa {
    if ('why' in compiled) {
      this.#failures++;
      throw new LeftToAjv(keyword, compiled.why);
    }
    if (!this.#counted.has(compiled)) {
      this.#counted.add(compiled);
      this.#bytes += compiled.table.byteLength + compiled.classes.byteLength;
    }
    return compiled;
  }
}
