/** A Slurm of one node on loopback, with munge, in a temporary folder; it needs no systemd, but root. */
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { freePort } from './redis.mjs';

/** Why no Slurm can be started here; undefined where it can. */
export function whyNoSlurm() {
  for (const command of ['munged', 'slurmctld', 'slurmd', 'sbatch'])
    if (spawnSync('sh', ['-c', `command -v ${command}`]).status !== 0)
      return `${command} is not installed (Debian: apt-get install slurm-wlm munge)`;
  return process.getuid?.() === 0 ? undefined : 'slurmd needs root';
}

/** Starts munge, the controller and a node. @param {string} dir a folder that only root writes to */
export async function startSlurm(dir) {
  const host = hostname();
  const [control, node] = [await freePort(), await freePort()];
  for (const name of ['munge', 'state', 'spool']) mkdirSync(join(dir, name));
  chmodSync(dir, 0o755);
  const key = join(dir, 'munge/munge.key');
  writeFileSync(key, randomBytes(128), { mode: 0o400 });
  const socket = join(dir, 'munge/socket');
  writeFileSync(
    join(dir, 'slurm.conf'),
    `ClusterName=grok
SlurmctldHost=${host}(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=${socket}
CredType=cred/munge
SlurmctldPort=${control}
SlurmdPort=${node}
StateSaveLocation=${join(dir, 'state')}
SlurmdSpoolDir=${join(dir, 'spool')}
SlurmctldPidFile=${join(dir, 'slurmctld.pid')}
SlurmdPidFile=${join(dir, 'slurmd.pid')}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
MpiDefault=none
ReturnToService=2
KillWait=60
NodeName=${host} NodeAddr=127.0.0.1 CPUs=${availableParallelism()} State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
`,
  );
  /** @type {import('node:child_process').ChildProcess[]} */
  const daemons = [];
  const env = { ...process.env, SLURM_CONF: join(dir, 'slurm.conf') };
  /** @param {string} command @param {readonly string[]} args */
  const start = (command, args) => {
    daemons.push(spawn(command, args, { env, stdio: 'ignore' }));
  };
  start('munged', [
    ...['--foreground', '--force', `--key-file=${key}`, `--socket=${socket}`],
    ...[`--pid-file=${join(dir, 'munge/pid')}`, `--log-file=${join(dir, 'munge/log')}`],
    `--seed-file=${join(dir, 'munge/seed')}`,
  ]);
  await wait(1000);
  const conf = join(dir, 'slurm.conf');
  start('slurmctld', ['-D', '-f', conf, '-L', join(dir, 'slurmctld.log')]);
  start('slurmd', ['-D', '-f', conf, '-L', join(dir, 'slurmd.log')]);
  for (let tries = 0; ; tries++) {
    const { stdout } = spawnSync('sinfo', ['--noheader', '--format=%T'], { env, encoding: 'utf8' });
    if (stdout.trim() === 'idle') break;
    if (tries > 120) throw new Error(`Slurm did not start: ${stdout}`);
    await wait(500);
  }
  return {
    env,
    async stop() {
      spawnSync('scancel', ['--user=root', '--quiet'], { env });
      for (const daemon of daemons.reverse()) {
        if (daemon.exitCode !== null || daemon.signalCode !== null) continue;
        daemon.kill('SIGTERM');
        await once(daemon, 'exit');
      }
    },
  };
}
