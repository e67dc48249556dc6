/** What every store must do, on each store of core that Node has. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryStore } from '@grok/core';
import { fileStore } from '@grok/core/node';
import { afterAll } from 'vitest';
import { storeCases } from './store-cases.js';

const root = mkdtempSync(join(tmpdir(), 'grok-stores-'));
afterAll(() => rmSync(root, { recursive: true }));
let count = 0;
storeCases('memory', () => memoryStore(), Buffer.from);
storeCases('file', () => fileStore(join(root, String(count++), 'run')), Buffer.from);
