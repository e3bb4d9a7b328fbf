// For containers, which have no curl: exit code 0 when this machine's admin server answers 200.
//   node scripts/healthcheck.mjs /readyz
const ANSWER_MS_MAX = 2000;
const port = process.env.FOREBAY_ADMIN_PORT || 3001;
const path = process.argv[2] ?? '/healthz';
try {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
    signal: AbortSignal.timeout(ANSWER_MS_MAX),
  });
  console.log(answer.status, await answer.text());
  process.exitCode = answer.ok ? 0 : 1;
} catch (error) {
  console.log(`no answer on port ${port}: ${error.cause?.message ?? error.message}`);
  process.exitCode = 1;
}
