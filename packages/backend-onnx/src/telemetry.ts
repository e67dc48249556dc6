/**
 * Telemetry of onnxruntime-node: by default, its library keeps a device id under `~/.cache` and
 * sends usage data (microsoft/onnxruntime, pull request 27379). It reads the variable once, when it
 * is loaded, from the environment of the process; a worker thread can change only its own copy of
 * that.
 */
import { InputError } from '@grok/core';

/** State of onnxruntime's telemetry; `system`: controlled by Windows's event tracing, not by a variable. */
export type Telemetry = 'off' | 'on' | 'system';
type Environment = Record<string, string | undefined>;

const VARIABLE = 'ORT_DISABLE_TELEMETRY';
/** The values that onnxruntime accepts as yes, ignoring spaces and case. */
const YES = /^\s*(1|true|yes|on|y)\s*$/i;

/**
 * Turns telemetry off in `env`, the environment of the process, unless the user has set the
 * variable.
 * @throws InputError in a worker thread if the variable is not set, since setting it there has no
 * effect.
 */
export function disableTelemetry(env: Environment, isMainThread: boolean): void {
  if (env[VARIABLE]) return;
  if (!isMainThread)
    throw new InputError(
      `backend "onnx": telemetry of onnxruntime-node cannot be turned off inside a worker thread, and ${VARIABLE} is not set; set ${VARIABLE}=1 before the worker starts`,
    );
  env[VARIABLE] = '1';
}

/** The state of telemetry after the backend was loaded with this environment. */
export function readTelemetry(env: Environment, platform: string): Telemetry {
  if (platform === 'win32') return 'system';
  return !env[VARIABLE] || YES.test(env[VARIABLE]) ? 'off' : 'on';
}
