import { describe, expect, it } from 'vitest';
import { assignStyles, describeRun } from '../src/index.js';

const known = ['teacher', 'none', 'logit', 'attention', 'feature'];

describe('assignStyles', () => {
  it('gives a known run the same look whatever stands beside it', () => {
    // Catches: a control that is gray in one figure and orange in another.
    const [, none] = assignStyles(known);
    expect(assignStyles(['none', 'feature'])[0]).toEqual(none);
    expect(assignStyles(['feature', 'mine', 'none'])[2]).toEqual(none);
  });
  it('tells eight runs apart by color, and by dash alone', () => {
    // Catches: two runs that look the same in gray, or to the color-blind.
    const styles = assignStyles([...known, 'a', 'b', 'c']);
    expect(new Set(styles.map(({ color }) => color)).size).toBe(8);
    expect(new Set(styles.map(({ dash }) => String(dash))).size).toBe(8);
    const dark = assignStyles([...known, 'a', 'b', 'c'], true);
    expect(new Set(dark.map(({ color }) => color)).size).toBe(8);
    expect(dark[0]?.color).not.toBe(styles[0]?.color);
  });
  it('begins anew where no name is known', () => {
    // Catches: arms of a sweep that share the look of a place twice over.
    const labels = ['wd0/none', 'wd0/logit', 'wd1/none', 'wd1/logit'];
    const styles = assignStyles(labels);
    expect(new Set(styles.map(({ color }) => color)).size).toBe(labels.length);
    expect(styles[0]?.dash).toEqual([]);
  });
});

it('names runs in sentences', () => {
  expect(known.map(describeRun)).toEqual([
    'the teacher',
    'the student without a teacher',
    'the logit student',
    'the attention student',
    'the feature student',
  ]);
});
