/** Reads fixtures from the file system. */
import { readFileSync } from 'node:fs';
import { decodeFixture, type Fixture, fixtureUrl } from './fixtures.js';

/** Reads a fixture by name. */
export function readFixture(name: string): Fixture {
  return decodeFixture(readFileSync(fixtureUrl(name)), name);
}
