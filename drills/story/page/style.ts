/** The page's style sheet: both colour schemes, one column below 800 px. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: #fbfaf7; --card: #ffffff; --ink: #1d232b; --soft: #5c6670; --line: #dfe2e0; --code: #f1f0ea;
  --created: #2a9d74; --refused: #d6453d; --other: #8a63d2; --done: #2f6fd0; --backlog: #b7791f; --sine: #1d232b;
  --good: #1c7d5a; --bad: #b5302a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #11151a; --card: #181d24; --ink: #e6e9ec; --soft: #9aa5b0; --line: #2c343d; --code: #1f262e;
    --created: #35b083; --refused: #ea5f56; --other: #a98bea; --done: #5b95ec; --backlog: #d9a441; --sine: #e6e9ec;
    --good: #4cc79a; --bad: #ff8077;
  }
}
* { box-sizing: border-box; }
html { font-size: clamp(15px, 11px + 0.42vw, 20px); }
body {
  margin: 0 auto; padding: clamp(1rem, 3vw, 3.5rem); max-width: 124rem;
  background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  font-variant-numeric: tabular-nums;
}
h1, h2, h3, p, figure, ul, dl, dd, pre { margin: 0; padding: 0; }
h1 { font-size: clamp(2.1rem, 5vw, 3.4rem); line-height: 1.08; letter-spacing: -0.025em; }
h2 { font-size: 1.6rem; line-height: 1.2; letter-spacing: -0.015em; }
h3 { font-size: 1rem; line-height: 1.35; }
.eyebrow { color: var(--soft); font-size: 0.85rem; font-weight: 600; letter-spacing: 0.02em; }
.top { display: grid; gap: 0.9rem; margin-bottom: 2.4rem; }
.lead { max-width: 50rem; font-size: 1.15rem; }
.badge { justify-self: start; padding: 0.25rem 0.8rem; border: 1px solid currentColor; border-radius: 2rem; font-size: 0.9rem; font-weight: 600; }
.badge.ok { color: var(--good); } .badge.fail { color: var(--bad); }
.aside { max-width: 50rem; color: var(--soft); font-size: 0.9rem; }
main > .aside { margin-top: 1.2rem; }
main > section { margin-top: 3.5rem; }
main > section > h2 { margin-bottom: 1.2rem; }

.modes { display: grid; gap: 1.4rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 23rem), 1fr)); }
.mode {
  display: grid; gap: 1.6rem; grid-template-rows: subgrid; grid-row: span 6; min-width: 0; align-content: start;
  padding: clamp(1rem, 2vw, 2rem); background: var(--card); border: 1px solid var(--line); border-radius: 0.9rem;
}
.key { display: grid; grid-template-columns: repeat(auto-fit, minmax(7.2rem, 1fr)); gap: 0.9rem 1.2rem; align-content: start; }
.key > div { display: flex; flex-direction: column; border-top: 2px solid var(--line); padding-top: 0.45rem; }
.key dd { font-size: 1.7rem; font-weight: 650; line-height: 1.15; letter-spacing: -0.02em; }
.key dt { color: var(--soft); font-size: 0.85rem; line-height: 1.3; }
.key .good { border-color: var(--created); } .key .good dd { color: var(--good); }
.key .bad { border-color: var(--refused); } .key .bad dd { color: var(--bad); }

figure { display: grid; grid-template-rows: 1fr auto; gap: 0.5rem; min-width: 0; }
figcaption { display: grid; gap: 0.2rem; align-content: start; }
.legend { display: flex; flex-wrap: wrap; gap: 0.1rem 1.1rem; list-style: none; color: var(--soft); font-size: 0.82rem; }
.legend i { display: inline-block; width: 0.85em; height: 0.85em; margin-right: 0.45em; border-radius: 0.2em; background: var(--key); vertical-align: -0.06em; }
.legend .created { --key: var(--created); } .legend .refused { --key: var(--refused); } .legend .other { --key: var(--other); }
.legend .done { --key: var(--done); } .legend .backlog { --key: var(--backlog); }
.legend .sine i, .legend .bound i, .legend .mark i { width: 1.5em; height: 0; border-radius: 0; background: none; border-top: 2px dashed var(--sine); vertical-align: 0.25em; }
.legend .bound i { border-top: 2px solid var(--ink); } .legend .mark i { border-top: 2px dotted var(--ink); }
.plot { display: grid; grid-template: auto 1.5rem / 3.1rem 1fr; }
.canvas { position: relative; height: clamp(11rem, 17vw, 24rem); border-bottom: 1px solid var(--soft); }
.canvas svg { position: absolute; inset: 0; width: 100%; height: 100%; overflow: visible; }
.y-axis, .x-axis { position: relative; color: var(--soft); font-size: 0.78rem; line-height: 1; }
.x-axis { grid-column: 2; }
.y-axis span { position: absolute; right: 0.6rem; transform: translateY(50%); white-space: nowrap; }
.x-axis span { position: absolute; top: 0.5rem; transform: translateX(-50%); white-space: nowrap; }
.x-axis span:first-child { transform: none; }
svg path { vector-effect: non-scaling-stroke; }
svg .grid { stroke: var(--line); stroke-width: 1; }
svg .created { fill: var(--created); } svg .refused { fill: var(--refused); } svg .other { fill: var(--other); } svg .done { fill: var(--done); }
svg .backlog { fill: color-mix(in srgb, var(--backlog) 35%, transparent); stroke: var(--backlog); stroke-width: 2; stroke-linejoin: round; }
svg .sine { fill: none; stroke: var(--sine); stroke-width: 1.5; stroke-dasharray: 5 4; }
svg .bound { fill: none; stroke: var(--ink); stroke-width: 1.5; }
svg .mark { fill: none; stroke: var(--ink); stroke-width: 1.5; stroke-dasharray: 1.5 3; }
svg .hint { fill: transparent; } svg .hint:hover { fill: var(--ink); fill-opacity: 0.12; }
.note { position: absolute; transform: translate(-50%, -50%); padding: 0 0.35rem; border-radius: 0.3rem; background: color-mix(in srgb, var(--card) 82%, transparent); font-size: 0.8rem; line-height: 1.5; white-space: nowrap; pointer-events: none; }
.note.right { transform: translate(0.3rem, -50%); } .note.left { transform: translate(calc(-100% - 0.3rem), -50%); }
.note.right, .note.left { padding: 0 0.2rem; }

.questions { display: grid; gap: 2.2rem 3rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 34rem), 1fr)); }
.questions article { display: grid; gap: 0.8rem; align-content: start; min-width: 0; }
@media (max-width: 120rem) { .questions article:last-child { grid-column: 1 / -1; } }
.questions h3 { display: flex; gap: 0.8rem; align-items: baseline; font-size: 1.15rem; }
.questions h3 span { color: var(--soft); }
.questions p { max-width: 50rem; }
table { border-collapse: collapse; font-size: 0.92rem; }
.figures { width: 100%; max-width: 46rem; } .metrics { width: 100%; max-width: 62rem; }
th, td { padding: 0.38rem 0.9rem 0.38rem 0; border-bottom: 1px solid var(--line); text-align: left; font-weight: 400; vertical-align: top; }
thead th { color: var(--soft); font-size: 0.82rem; }
.figures td, .figures thead th + th, .seconds th, .seconds td { text-align: right; white-space: nowrap; }
.figures thead th + th { white-space: normal; }
td:last-child, th:last-child { padding-right: 0; }
small { color: var(--soft); }
code { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace; font-size: 0.88em; overflow-wrap: anywhere; }
pre { padding: 0.9rem 1.1rem; overflow-x: auto; background: var(--code); border-radius: 0.5rem; line-height: 1.6; }
pre code { overflow-wrap: normal; } pre i { color: var(--soft); font-style: normal; }
.pair { display: grid; gap: 1.5rem 3rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); }
.pair > * { min-width: 0; }
.pair p { margin: 0 0 0.5rem; } .pair pre { margin-bottom: 1rem; }
.checks { list-style: none; margin-top: 0.5rem; font-size: 0.92rem; }
.checks li { display: flex; gap: 0.7rem; padding: 0.28rem 0; border-bottom: 1px solid var(--line); }
.checks span { overflow-wrap: anywhere; }
.checks b { flex: none; width: 2.4rem; color: var(--good); } .checks .fail b, .checks .fail span { color: var(--bad); }
.facts { align-self: start; font-size: 0.92rem; }
.facts div { display: grid; grid-template-columns: 9rem 1fr; gap: 1rem; padding: 0.35rem 0; border-bottom: 1px solid var(--line); }
.facts dt { color: var(--soft); }
details { margin-top: 1.5rem; } summary { cursor: pointer; color: var(--soft); } details .pair { margin-top: 1rem; }
caption { padding-bottom: 0.5rem; color: var(--soft); font-size: 0.85rem; text-align: left; }
.seconds { width: 100%; font-size: 0.85rem; } .seconds th, .seconds td { padding: 0.15rem 0.7rem 0.15rem 0; }
:focus-visible { outline: 2px solid var(--done); outline-offset: 2px; }
@media (min-width: 30.01rem) { .metrics th code { white-space: nowrap; } }
@media (max-width: 30rem) {
  .metrics thead { display: none; } .metrics tr { display: block; padding: 0.5rem 0; border-bottom: 1px solid var(--line); }
  .metrics th, .metrics td { display: block; padding: 0; border: 0; } .metrics td:last-child { font-weight: 600; }
  .facts div { grid-template-columns: 1fr; gap: 0; }
  .checks b { width: 2.2rem; }
}
@media print { .mode { break-inside: avoid; } }
`;
