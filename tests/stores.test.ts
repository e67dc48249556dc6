/** The conformance suite on each of core's stores that Node has. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRegistry } from '@grok/core';
import { stores } from '@grok/core/node';
import { storeSuite } from '@grok/testing';
import * as tf from '@grok/tfjs';
import { afterAll } from 'vitest';

const root = mkdtempSync(join(tmpdir(), 'grok-stores-'));
afterAll(() => rmSync(root, { recursive: true }));
let count = 0;
const registry = createRegistry([stores]);
/** Opens a store by name, like any other component. */
const open = (name: string) => () =>
  registry.create('store', name, {}, { tf })(join(root, String(count++), 'run'));
storeSuite('memory', open('memory'), Buffer.from);
storeSuite('file', open('file'), Buffer.from);
