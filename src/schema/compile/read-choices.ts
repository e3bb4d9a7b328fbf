import type { Reading, SchemaObject } from './reading.js';
import { pointerTo, type Schema } from './references.js';
import {
  ANY_TYPE,
  type Choice,
  type Rules,
  type Scalar,
  type Tag,
  TYPE,
  type ValueRules,
} from './rules.js';

/** Reads `anyOf` and `oneOf`. */
export function readChoices(
  reader: Reading,
  rules: ValueRules,
  pointer: string,
  schema: SchemaObject,
): void {
  for (const keyword of ['anyOf', 'oneOf']) {
    const schemas = schema[keyword] as Schema[] | undefined;
    if (schemas === undefined) continue;
    const branches = schemas.map((one, i) => reader.at(pointerTo(pointer, keyword, i), one));
    const choice: { branches: Rules[]; tag: Tag | null } = { branches, tag: null };
    rules.choices.push(choice);
    // A branch can refer to a schema that is not read yet.
    reader.later(() => {
      if (rules.kind !== 'value') return;
      choice.tag = tagOf(branches);
      if (keyword === 'oneOf' && !areDisjoint(choice)) {
        reader.leave(rules, 'oneOf', 'more than one branch may accept a value');
      }
    });
  }
}

/** Whether no value can be valid against two branches. */
function areDisjoint({ branches, tag }: Choice): boolean {
  return branches.every((one, i) =>
    branches.slice(i + 1).every((other) => {
      const common = typesOf(one) & typesOf(other);
      if ((common & ~(TYPE.object | TYPE.string | TYPE.number)) !== 0) return false;
      if ((common & TYPE.object) !== 0 && tag === null) return false;
      if ((common & (TYPE.string | TYPE.number)) === 0) return true;
      const [values, otherValues] = [finiteValues(one), finiteValues(other)];
      if (values === null || otherValues === null) return false;
      return !values.some((value) => otherValues.includes(value));
    }),
  );
}

const knownTypes = new WeakMap<Rules, number>();

/** The types that a value may have. Only when all rules are read. */
export function typesOf(rules: Rules): number {
  if (rules.kind === 'part') return ANY_TYPE;
  const known = knownTypes.get(rules);
  if (known !== undefined) return known;
  let types = rules.types;
  knownTypes.set(rules, ANY_TYPE);
  for (const one of rules.also) types &= typesOf(one);
  for (const { branches } of rules.choices) {
    types &= branches.reduce((all, branch) => all | typesOf(branch), 0);
  }
  knownTypes.set(rules, types);
  return types;
}

/** All values that may be valid, or null if there may be others than scalars, or endless many. */
function finiteValues(rules: Rules): Scalar[] | null {
  if (rules.kind === 'part') return null;
  const { types } = rules;
  const isString = (types & TYPE.string) !== 0;
  const isNumber = (types & TYPE.number) !== 0;
  const isListed =
    (types & (TYPE.object | TYPE.array)) === 0 &&
    !(isString && (rules.string?.values ?? null) === null) &&
    !(isNumber && (rules.number?.values ?? null) === null);
  if (!isListed) return rules.also.map(finiteValues).find((values) => values !== null) ?? null;
  const values: Scalar[] = [];
  if (isString) values.push(...rules.string!.values!);
  if (isNumber) values.push(...rules.number!.values!);
  if ((types & TYPE.true) !== 0) values.push(true);
  if ((types & TYPE.false) !== 0) values.push(false);
  if ((types & TYPE.null) !== 0) values.push(null);
  return values;
}

/** A member that all objects must have, with other values for each branch. */
function tagOf(branches: readonly Rules[]): Tag | null {
  const isObject = branches.map((branch) => (typesOf(branch) & TYPE.object) !== 0);
  if (isObject.filter(Boolean).length < 2) return null;
  const byBranch = branches.map((branch, i) =>
    isObject[i] ? constantMembers(branch) : new Map<string, Scalar[]>(),
  );
  const names = byBranch[isObject.indexOf(true)]!.keys();
  for (const name of names) {
    const values = byBranch.map((members, i) => (isObject[i] ? members.get(name) : []));
    if (values.some((one) => one === undefined)) continue;
    const all = values.flat();
    if (new Set(all).size === all.length) return { name, values: values as Scalar[][] };
  }
  return null;
}

/** The required members that have finite values. */
function constantMembers(rules: Rules): Map<string, Scalar[]> {
  const values = new Map<string, Scalar[]>();
  const required = new Set<string>();
  const collect = (one: Rules): void => {
    if (one.kind === 'part') return;
    for (const member of one.object?.members ?? []) {
      if (member.isRequired) required.add(member.name);
      for (const inner of member.rules) {
        const finite = finiteValues(inner);
        if (finite !== null) values.set(member.name, finite);
      }
    }
    for (const inner of one.also) collect(inner);
  };
  collect(rules);
  for (const name of values.keys()) if (!required.has(name)) values.delete(name);
  return values;
}
