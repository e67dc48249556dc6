/** What every store must do, on each store of core that Node has. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryStore } from '@grok/core';
import { fileStore } from '@grok/core/node';
import { storeSuite } from '@grok/testing';
import { afterAll } from 'vitest';

const root = mkdtempSync(join(tmpdir(), 'grok-stores-'));
afterAll(() => rmSync(root, { recursive: true }));
let count = 0;
storeSuite('memory', () => memoryStore(), Buffer.from);
storeSuite('file', () => fileStore(join(root, String(count++), 'run')), Buffer.from);
