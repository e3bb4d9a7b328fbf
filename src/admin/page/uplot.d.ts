/** The browser gets the package's own file under this name: see page-files.ts. */
export { default } from 'uplot';
