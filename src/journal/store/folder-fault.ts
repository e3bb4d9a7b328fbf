/** Why a data folder cannot be used, and how to fix it, each in one line. */
export class FolderFault extends Error {
  readonly fix: string;

  constructor(what: string, fix: string) {
    super(what);
    this.fix = fix;
  }
}
