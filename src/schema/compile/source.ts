import { EXIT, OperatorFault } from '../../model/fault.js';

/** Most characters of the code for a schema. With 10,000 members of an object there are about a million. */
const CHARS_MAX = 16 * 1024 * 1024;

/**
 * The source of a scanner while it is written. Nothing of a schema gets into it as text: names, values and tables are
 * constants that the code gets by number, and bytes that it compares with are written as numbers.
 */
export class Source {
  readonly #constants: unknown[] = [];
  readonly #constantNames = new Map<unknown, string>();
  readonly #functions: string[] = [];
  readonly #byBody = new Map<string, string>();
  #count = 0;
  #length = 0;

  /** The name of a constant. */
  constant(value: unknown): string {
    const known = this.#constantNames.get(value);
    if (known !== undefined) return known;
    const name = `k${this.#constants.length}`;
    this.#constants.push(value);
    this.#constantNames.set(value, name);
    return name;
  }

  /** A name that no other function or variable has. */
  newName(prefix: string): string {
    return `${prefix}${this.#count++}`;
  }

  /**
   * Adds `name(b, at, end, d)`, which returns the offset after the value at `at`, or -1.
   *
   * @throws OperatorFault the code is too large
   */
  addFunction(name: string, body: string): void {
    this.addLine(`function ${name}(b, at, end, d) {\n${body}\n}`);
  }

  /** The name of a function with this body. */
  functionOf(body: string): string {
    const known = this.#byBody.get(body);
    if (known !== undefined) return known;
    const name = this.newName('f');
    this.#byBody.set(body, name);
    this.addFunction(name, body);
    return name;
  }

  /** @throws OperatorFault the code is too large */
  addLine(line: string): void {
    this.#functions.push(line);
    this.#length += line.length;
    if (this.#length <= CHARS_MAX) return;
    const why = `its code would have more than ${CHARS_MAX} characters`;
    throw new OperatorFault(`--schema: too large, ${why}; fix: make it smaller`, EXIT.usage);
  }

  /** Runs the source and returns the function `name`. @param runtime what the code calls, by name */
  compile(name: string, runtime: Readonly<Record<string, unknown>>): unknown {
    const names = Object.keys(runtime).join();
    const constants = this.#constants.map((_, index) => `k${index} = K[${index}]`);
    const declared = constants.length > 0 ? `const ${constants.join(', ')};` : '';
    const text = [`'use strict';`, `const { ${names} } = R;`, declared, ...this.#functions];
    const make = new Function('R', 'K', `${text.join('\n')}\nreturn ${name};`);
    return make(runtime, this.#constants);
  }
}
