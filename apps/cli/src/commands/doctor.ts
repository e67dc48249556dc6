import { arch, availableParallelism, cpus, freemem, platform, totalmem } from 'node:os';
import { type Telemetry, telemetry } from '@grok/backend-onnx';
import { DEFAULT_BACKEND } from '@grok/core/internal';
import type { Command } from 'commander';
import { type TriedBackend, tryBackend } from '../backends.js';
import { examples, type OutputFlags, outputFlags, pluginFlag } from '../flags.js';
import { EXIT, human } from '../host.js';
import type { Io } from '../io.js';
import { openRegistry } from '../plugins.js';
import { requestExecution } from '../spec.js';

const NEEDED = '20.19.0';

const TELEMETRY: Readonly<Record<Telemetry, string>> = {
  off: 'off',
  on: 'on, because ORT_DISABLE_TELEMETRY is set in the environment; unset it to turn telemetry off',
  system: 'controlled by Windows event tracing',
};

interface FoundBackend extends TriedBackend {
  readonly name: string;
  readonly isDefault: boolean;
}

/** `grok doctor`: what this machine has, what is missing and how to get it. */
export function doctor(program: Command, io: Io, done: (code: number) => void): void {
  const command = program.command('doctor').helpGroup('Set up:');
  examples(outputFlags(pluginFlag(command)), 'doctor', 'doctor --json')
    .description('show Node.js, processor, memory, backends, and what is missing')
    .action(async (flags: OutputFlags & { readonly plugin: readonly string[] }) => {
      const registry = await openRegistry(flags.plugin, io);
      const cores = availableParallelism();
      const { defaults } = requestExecution({}, {}, io);
      const preferred = { ...defaults, backend: defaults.backend ?? DEFAULT_BACKEND };
      const backends: FoundBackend[] = [];
      for (const { kind, name } of registry.list()) {
        if (kind !== 'backend') continue;
        const isDefault = name === preferred.backend;
        const execution = { ...(isDefault ? preferred : { backend: name }), threads: cores };
        backends.push({ name, isDefault, ...(await tryBackend(registry, execution)) });
      }
      const node = process.versions.node;
      const memory = { totalBytes: totalmem(), freeBytes: freemem() };
      const found = {
        node: { version: node, needed: `>=${NEEDED}`, ok: atLeast(node, NEEDED) },
        platform: `${platform()} ${arch()}`,
        cpu: cpus()[0]?.model.trim() ?? 'unknown',
        cores,
        memory,
        backends,
        telemetry: telemetry(),
      };
      const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
      const mark = (ok: boolean): string => (ok ? 'ok     ' : 'missing');
      human(io, flags).write(
        [
          `${mark(found.node.ok)}  node ${node} (needs ${found.node.needed}), ${found.platform}`,
          `${mark(true)}  ${cores} cores: ${found.cpu}`,
          `${mark(true)}  memory ${gib(memory.totalBytes)}, ${gib(memory.freeBytes)} free`,
          ...backends.map(
            ({ name, available, isDefault, device, missing }) =>
              `${mark(available)}  backend ${name}${isDefault ? ' (default)' : ''}: ${device ?? missing}`,
          ),
          `${mark(true)}  telemetry of onnxruntime: ${TELEMETRY[found.telemetry]}`,
          '',
        ].join('\n'),
      );
      if (flags.json === true) io.out.write(`${JSON.stringify(found)}\n`);
      const usable = backends.some(({ isDefault, available }) => isDefault && available);
      done(usable && found.node.ok ? EXIT.ok : EXIT.failed);
    });
}

function atLeast(version: string, least: string): boolean {
  const parts = version.split('.').map(Number);
  for (const [i, wanted] of least.split('.').map(Number).entries()) {
    const part = parts[i] ?? 0;
    if (part !== wanted) return part > wanted;
  }
  return true;
}
