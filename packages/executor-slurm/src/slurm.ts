/** Slurm's commands: sbatch, squeue, scancel, and what is said of a job that has left the queue. */
import { spawn } from 'node:child_process';
import { InputError, RunError } from '@grok/core';

/** Names of jobs in one call of scancel. */
const AT_ONCE = 500;

/** What a command prints. @throws InputError where it is not installed, RunError with what it says where it fails. */
async function call(command: string, args: readonly string[], input = ''): Promise<string> {
  const child = spawn(command, args, { stdio: 'pipe' });
  let [out, err] = ['', ''];
  child.stdout.on('data', (part) => {
    out += part;
  });
  child.stderr.on('data', (part) => {
    err += part;
  });
  child.stdin.on('error', () => {}); // it ended before it had read
  child.stdin.end(input);
  const code = await new Promise<number | null>((done, fail) => {
    child.on('error', (error) =>
      fail(
        new InputError(
          `executor "slurm": ${command} cannot be started (${error.message}); run the study where Slurm's commands are installed`,
        ),
      ),
    );
    child.on('close', done);
  });
  if (code === 0) return out;
  throw new RunError(`${command}: ${err.trim().split('\n').join('; ') || `ended with ${code}`}`);
}

/** @throws InputError where Slurm is not installed. */
export async function checkSlurm(): Promise<void> {
  await call('sbatch', ['--version']);
}

/** Submits a batch script; gives the job's number. @throws RunError with what sbatch says. */
export async function submit(args: readonly string[], script: string): Promise<string> {
  const printed = await call('sbatch', ['--parsable', ...args], script);
  return printed.trim().split(';')[0] ?? '';
}

/** States of this user's jobs, by their names such as `12_3`. @throws RunError where Slurm does not answer. */
export async function listJobStates(): Promise<ReadonlyMap<string, string>> {
  const printed = await call('squeue', ['--me', '--noheader', '--array', '--format=%i|%T']);
  const lines = printed.split('\n').filter((line) => line.includes('|'));
  return new Map(
    lines.map((line) => {
      const [ref = '', state = ''] = line.trim().split('|');
      return [ref, state];
    }),
  );
}

/** Ends jobs; those that have ended already are no error. */
export async function cancelJobs(refs: readonly string[]): Promise<void> {
  for (let first = 0; first < refs.length; first += AT_ONCE)
    await call('scancel', ['--quiet', ...refs.slice(first, first + AT_ONCE)]).catch(() => {});
}

/** What is known of a job that has left the queue: from accounting where it is on, else from the controller. */
export async function describeEnd(ref: string): Promise<string> {
  const accounted = await call('sacct', [
    ...['--noheader', '--parsable2', '--allocations', `--jobs=${ref}`],
    '--format=State,ExitCode',
  ]).catch(() => '');
  const [state, code] = accounted.trim().split('|');
  if (state) return `${state}, exit code ${code}`;
  const shown = await call('scontrol', ['--oneliner', 'show', 'job', ref]).catch(() => '');
  const find = (name: string): string | undefined =>
    new RegExp(`\\b${name}=(\\S+)`).exec(shown)?.[1];
  return shown === ''
    ? 'nothing more is known of it'
    : `${find('JobState')}, reason ${find('Reason')}, exit code ${find('ExitCode')}`;
}
