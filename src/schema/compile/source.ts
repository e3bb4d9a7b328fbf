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

  /** Adds `name(b, at, end, d)`, which returns the offset after the value at `at`, or -1. */
  addFunction(name: string, body: string): void {
    const source = `function ${name}(b, at, end, d) {\n${body}\n}`;
    this.#functions.push(source);
    this.#length += source.length;
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

  addLine(line: string): void {
    this.#functions.push(line);
    this.#length += line.length;
  }

  /** Characters so far. */
  get length(): number {
    return this.#length;
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
