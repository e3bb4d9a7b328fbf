import { typesOf } from './read-choices.js';
import { type Choice, type Rules, TYPE, type ValueRules } from './rules.js';

/** Most times that the scanner may read a value: by `allOf`, `$ref` with other keywords, and branches tried in turn. */
const PASSES_MAX = 64;

/**
 * Leaves to ajv the rules by which a value would be read too often. Without that bound, the time for a body could grow
 * exponentially with the depth of the schema.
 */
export function boundPasses(root: Rules, leave: (rules: Rules, keyword: string) => void): void {
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
    if (!isBounded) leave(rules, keywordOf(rules));
    known.set(rules, isBounded ? count : 1);
    return known.get(rules)!;
  };
  passes(root);
}

/** The keyword by which a value is read again. */
function keywordOf({ object, also, choices }: ValueRules): string {
  if (also.length > 0) return 'allOf';
  if (choices.length > 0) return 'anyOf';
  return object !== null && object.patterns.length > 0 ? 'patternProperties' : 'properties';
}

function own(rules: ValueRules, passes: (rules: Rules) => number): number {
  let count = rules.object === null && rules.array === null ? 0 : 1;
  for (const all of inner(rules)) count = Math.max(count, sum(all.map(passes)));
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
