import { readState } from './session.js';

document.querySelector<HTMLInputElement>('#token')!.focus();
// The browser sends no session with a link from another site, and with the requests of this page it does.
if ((await readState())?.isIn) location.replace('/');
