/** The server serves the package's file under this name, see page-files.ts. */
export { default } from 'uplot';
