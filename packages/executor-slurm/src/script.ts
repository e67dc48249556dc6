/**
 * The batch script of an array of jobs. Slurm's warning before the time limit reaches the script alone: it
 * lets the run save, and requeues the job, which goes on from there.
 */

/** Options of the executor `slurm`; those of sbatch are as sbatch has them. */
export interface SlurmOptions {
  readonly partition?: string | undefined;
  readonly account?: string | undefined;
  readonly qos?: string | undefined;
  readonly constraint?: string | undefined;
  readonly gres?: string | undefined;
  /** Time limit of a job. */
  readonly time?: string | undefined;
  /** Memory of a job. */
  readonly memory?: string | undefined;
  /** Seconds between looks at the jobs. */
  readonly pollSeconds: number;
  /** Seconds before the time limit at which a run saves. */
  readonly warnSeconds: number;
}
/** An array of jobs. */
export interface JobArray {
  /** Names of the jobs' files, in the order of their indices. */
  readonly ids: readonly string[];
  /** Threads of each. */
  readonly threads: number;
  /** Slurm's names of the jobs that must have ended well before. */
  readonly after: readonly string[];
}

/** Arguments of sbatch. */
export function listArguments(
  { ids, threads, after }: JobArray,
  logs: string,
  options: SlurmOptions,
): readonly string[] {
  const { partition, account, qos, constraint, gres, time, memory, warnSeconds } = options;
  const requested = { partition, account, qos, constraint, gres, time, mem: memory };
  return [
    ...['--job-name=grok', `--array=0-${ids.length - 1}`, `--cpus-per-task=${threads}`],
    ...['--requeue', '--open-mode=append', `--output=${logs}/%A_%a.log`],
    `--signal=B:USR1@${warnSeconds}`,
    ...(after.length === 0
      ? []
      : [`--dependency=afterok:${after.join(':')}`, '--kill-on-invalid-dep=yes']),
    ...Object.entries(requested).flatMap(([name, value]) =>
      value === undefined ? [] : [`--${name}=${value}`],
    ),
  ];
}

/** The script; `command` carries out the job that the environment names. */
export function writeScript({ ids }: JobArray, root: string, command: readonly string[]): string {
  return `#!/bin/bash
jobs=(${ids.join(' ')})
export GROK_SLURM_ROOT=${quote(root)}
export GROK_SLURM_JOB=\${jobs[$SLURM_ARRAY_TASK_ID]}
requeue=
trap 'requeue=yes; kill -TERM $pid' USR1
trap : TERM # Slurm tells the run itself
${command.map(quote).join(' ')} &
pid=$!
# A trap ends the wait before the run has saved.
while kill -0 $pid 2>/dev/null; do wait $pid; code=$?; done
if [ -n "$requeue" ] && [ $code -ne 0 ]; then
  scontrol requeue "\${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID" && sleep 60
fi
exit $code
`;
}

const quote = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;
