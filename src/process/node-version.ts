/**
 * Null if Forebay runs on this version of Node, otherwise one line that says what to install. The file imports nothing:
 * on an old Node, an import of what that Node lacks fails before any code runs. `engines` in package.json says the same.
 */
export function unsupportedNode(version: string): string | null {
  const parts = version.split('.').map(Number);
  const major = parts[0]!;
  const minor = parts[1]!;
  const isSupported = major > 22 || (major === 22 && minor >= 2) || (major === 20 && minor >= 15);
  if (isSupported) return null;
  return `Node ${version} is not supported: install Node 22, or at least 20.15 or 22.2 (https://nodejs.org/en/download)`;
}
