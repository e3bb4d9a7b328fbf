/** Thrown while a schema is read: ajv checks it. */
export class LeftToAjv extends Error {
  readonly keyword: string;

  /** @param why a phrase */
  constructor(keyword: string, why: string) {
    super(why);
    this.keyword = keyword;
  }
}
