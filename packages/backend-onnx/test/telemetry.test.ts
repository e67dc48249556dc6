/** Telemetry is off unless the user enables it; if it cannot be turned off, that is an error. */
import { describe, expect, it } from 'vitest';
import { disableTelemetry, readTelemetry } from '../src/telemetry.js';

describe('telemetry of onnxruntime', () => {
  it('is turned off by default', () => {
    // Catches: an empty variable, as `ENV X=` leaves it, taken for a user setting.
    for (const env of [{}, { ORT_DISABLE_TELEMETRY: '' }]) {
      disableTelemetry(env, true);
      expect(env).toEqual({ ORT_DISABLE_TELEMETRY: '1' });
    }
  });
  it('keeps the user’s setting', () => {
    for (const isMainThread of [true, false]) {
      const env = { ORT_DISABLE_TELEMETRY: '0' };
      disableTelemetry(env, isMainThread);
      expect(env).toEqual({ ORT_DISABLE_TELEMETRY: '0' });
    }
  });
  it('is refused in a worker thread that cannot turn it off', () => {
    // Catches: a variable set in a worker's copy of the environment, which the library never sees.
    const env: Record<string, string | undefined> = {};
    expect(() => disableTelemetry(env, false)).toThrow(/set ORT_DISABLE_TELEMETRY=1 before/);
    expect(env).toEqual({});
  });
  it.each([
    [undefined, 'linux', 'off'],
    ['1', 'linux', 'off'],
    [' Yes ', 'darwin', 'off'],
    ['0', 'linux', 'on'],
    ['2', 'linux', 'on'],
    ['1', 'win32', 'system'],
  ])('%j on %s is reported as %s', (value, platform, state) => {
    expect(readTelemetry({ ORT_DISABLE_TELEMETRY: value }, platform)).toBe(state);
  });
});
