/**
 * Which uWebSockets.js this machine needs. Plain JavaScript without imports, because `npm ci` runs it
 * before anything is compiled: its repackaging on npm has binaries for Node 20 and 22; newer ones need the
 * author's own release, which is not on npm (see docs/reference/dependencies.md).
 */
const OFFICIAL = 'github:uNetworking/uWebSockets.js#v20.66.0';

/**
 * Null if the installed one works, otherwise one line that says what to type.
 *
 * @returns {Promise<string | null>}
 */
export async function missingServerBinary() {
  try {
    await import('uWebSockets.js');
    return null;
  } catch {
    const where = `Node ${process.versions.node} on ${process.platform}-${process.arch}`;
    return `the installed uWebSockets.js has no binary for ${where}: use Node 20 or 22, or type: npm install 'uWebSockets.js@${OFFICIAL}'`;
  }
}

// Only in a clone: npm does not run this script for an installed package, where the start says the same.
if (process.env.npm_lifecycle_event === 'dependencies') {
  const line = await missingServerBinary();
  if (line !== null) console.log(`forebay: ${line}`);
}
