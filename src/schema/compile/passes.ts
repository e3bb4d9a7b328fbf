import { typesOf } from './read-choices.js';
import { type Choice, type Rules, TYPE, type ValueRules } from './rules.js';

/** Most times that the scanner may read a value: by `allOf`, `$ref` with other keywords, and branches tried in turn. */
const PASSES_MAX = 16;

/**
 * Leaves to ajv the rules by which a value would be read too often. Without that bound, the time for a body could grow
 * exponentially with the depth of the schema.
 */
export function boundPasses(root: Rules, leave: (rules: Rules) => void): void {
  const known = new Map<Rules, number>();
  const path: Rules[] = [];
  const circular = new Set<Rules>();
  const passes = (rules: Rules): number => {
    if (rules.kind === 'part') return 1;
    const found = known.get(rules);
    if (found !== undefined) return found;
    if (path.includes(rules)) {
      for (const one of path.slice(path.indexOf(rules))) circular.add(one);
      return 1;
    }
    path.push(rules);
    const count = own(rules, passes);
    path.pop();
    const isBounded = count <= (circular.has(rules) ? 1 : PASSES_MAX);
    if (!isBounded) leave(rules);
    known.set(rules, isBounded ? count : 1);
    return known.get(rules)!;
  };
  passes(root);
}

function own(rules: ValueRules, passes: (rules: Rules) => number): number {
  let count = Math.max(1, ...inner(rules).map((all) => sum(all.map(passes))));
  if (rules.object === null && rules.array === null) count = 0;
  for (const one of rules.also) count += passes(one);
  for (const choice of rules.choices) {
    const all = choice.branches.map(passes);
    count += isTried(choice) ? sum(all) : Math.max(0, ...all);
  }
  return Math.max(1, count);
}

/** Whether several branches may have to be tried for a value. */
function isTried({ branches, tag }: Choice): boolean {
  return branches.some((one, i) =>
    branches.slice(i + 1).some((other) => {
      const common = typesOf(one) & typesOf(other);
      return (common & ~(tag === null ? 0 : TYPE.object)) !== 0;
    }),
  );
}

/** The rules of the values inside, each with all that apply to the same value. */
function inner({ object, array }: ValueRules): Rules[][] {
  const all: Rules[][] = [];
  if (object !== null) {
    all.push(...object.members.map((member) => [...member.rules]));
    all.push(object.patterns.map((one) => one.rules));
    all.push([object.additional]);
  }
  if (array !== null) all.push(...array.first.map((one) => [one]), [array.rest]);
  return all;
}

function sum(counts: readonly number[]): number {
  return counts.reduce((all, count) => all + count, 0);
}
