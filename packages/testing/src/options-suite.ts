/** Tests for the name and options of every component: it can be named in files and its options are checked. */
import { type ComponentDefinition, isInputError, type Kind, parseOptions } from '@grok/core';
import { type Created, formatSubject, toJsonSchema } from '@grok/core/internal';
import * as tf from '@grok/tfjs';
import { describe, expect, it } from 'vitest';

/** Options of a component under test. */
export interface OptionsGiven {
  /** Options to create the component with; default: none. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** Invalid options that it must refuse, such as `{ p: 0 }`. */
  readonly refuses?: readonly Readonly<Record<string, unknown>>[];
}

/** Creates a component's product, with the same check of options as for a specification. */
function createWith<K extends Kind>(offered: ComponentDefinition<K>, given: unknown): Created[K] {
  return offered.create(parseOptions(formatSubject(offered), offered.options, given), { tf });
}

/** True for a component, false for its product, which has no `kind`. */
function isProvision<K extends Kind>(
  subject: ComponentDefinition<K> | Created[K],
): subject is ComponentDefinition<K> {
  return 'kind' in subject && 'create' in subject;
}

/** Separates a suite's argument into the component, if it is one, and a function that creates the product. */
export function subjectMaker<K extends Kind>(
  subject: ComponentDefinition<K> | Created[K],
  options: unknown,
): { offered: ComponentDefinition<K> | undefined; make: () => Created[K] } {
  if (isProvision<K>(subject))
    return { offered: subject, make: () => createWith(subject, options) };
  return { offered: undefined, make: () => subject };
}

/** Registers the tests of the options; without a component they are visibly skipped. */
export function optionsSuite<K extends Kind>(
  kind: K,
  offered: ComponentDefinition<K> | undefined,
  { options = {}, refuses = [] }: OptionsGiven,
): void {
  if (offered === undefined) {
    it.skip('options: none, for what is not offered by a name', () => {});
    return;
  }
  describe('options', () => {
    const subject = formatSubject(offered);

    it('come with a description (catches: a blank line in `grok plugins`)', () => {
      const { name, summary } = offered;
      expect(
        { kind: offered.kind, name },
        'a component must have the tested kind, and a name of lowercase letters, digits and hyphens',
      ).toMatchObject({
        kind,
        name: expect.stringMatching(/^[a-z][a-z0-9-]*$/),
      });
      expect(summary, 'the summary is one line of text').toMatch(/^\S.*\S$/);
      expect(summary, 'the summary must be one line').not.toContain('\n');
    });
    it('are JSON, schema and values (catches: a run that cannot be saved)', () => {
      const schema = toJsonSchema(offered.options);
      expect(
        JSON.parse(JSON.stringify(schema)),
        'the schema must be JSON, as `grok plugins --json` prints it',
      ).toEqual(schema);
      const parsed = parseOptions(subject, offered.options, options);
      const stored = JSON.parse(JSON.stringify(parsed));
      expect(stored, 'parsed options must be JSON, as they are written into a run’s files').toEqual(
        parsed,
      );
      // Parsed again, they mean the same.
      expect(
        parseOptions(subject, offered.options, stored),
        'options read back from a file must mean the same',
      ).toEqual(parsed);
    });
    it('refuse an unknown key by name (catches: a misspelled option that does nothing)', async () => {
      expect(
        await refusal(() => createWith(offered, { ...options, noSuchOption: 1 })),
        'the refusal must name the unknown key: set additionalProperties to false',
      ).toContain('noSuchOption');
    });
    it.each(refuses.map((bad) => [JSON.stringify(bad), bad] as const))(
      'refuse %s by name (catches: an invalid value reported hours later)',
      async (_, bad) => {
        const message = await refusal(() => createWith(offered, { ...options, ...bad }));
        expect(
          Object.keys(bad).some((key) => message.includes(key)),
          `the message names the option: ${message}`,
        ).toBe(true);
      },
    );
  });
}

/** The message of the error that `body` must throw. */
async function refusal(body: () => unknown): Promise<string> {
  try {
    await body();
  } catch (error) {
    expect(isMeant(error), `must throw an error with a message, got ${error}`).toBe(true);
    return error instanceof Error ? error.message : String(error);
  }
  throw new Error('was accepted, and should have been refused; check options in the schema');
}

/** True for an intended error: an InputError, or the plain Error of a plugin that imports nothing; not a TypeError. */
export function isMeant(error: unknown): boolean {
  return isInputError(error) || (error instanceof Error && error.name === 'Error');
}
