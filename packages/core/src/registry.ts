/**
 * The registry: plugins in a tsyringe container, by explicit tokens (no decorators, no metadata).
 * Injection stays at the edge: only this file, `run.ts` and the apps ever see a container.
 */
import 'reflect-metadata';
import { type DependencyContainer, type InjectionToken, container as root } from 'tsyringe';
import { guardedCreate } from './created.js';
import { InputError, unknownName } from './errors.js';
import { hard } from './objective.js';
import { jsonSchemaOf, parseOptions } from './options.js';
import { checkPlugin, coreVersion } from './plugin.js';
import { subjectOf } from './provision.js';
import type { Created, Host, JsonSchema, Kind, Plugin, Provision } from './types.js';

/** A provision as `grok plugins` shows it. */
export interface Listing {
  readonly name: string;
  readonly kind: Kind;
  readonly package: string;
  readonly version: string;
  readonly summary: string;
  readonly options: JsonSchema;
}
/** Plugins by kind and name. */
export interface Registry {
  /** Adds all that a plugin provides; `alias` renames provisions. @throws InputError on a second one of a kind and name. */
  add(plugin: Plugin, options?: { alias?: Readonly<Record<string, string>> }): void;
  /** @throws InputError that lists the known names and suggests the nearest. */
  get<K extends Kind>(kind: K, name: string): Provision<K>;
  /** Checks options, fills in defaults and creates; errors name the provision. */
  create<K extends Kind>(kind: K, name: string, options: unknown, host: Host): Created[K];
  list(): readonly Listing[];
  /** A registry that sees all of this one, whatever is added later too, and keeps what is added to itself. */
  child(): Registry;
}

interface Entry {
  readonly token: InjectionToken<Entry>;
  readonly provision: Provision;
  readonly name: string;
  readonly plugin: Plugin;
}
const tokenOf = (kind: string, name: string): InjectionToken<Entry> =>
  Symbol.for(`@grok/${kind}/${name}`) as InjectionToken<Entry>;
const ALL = Symbol.for('@grok/all') as InjectionToken<Entry>;

const own: Plugin = {
  name: '@grok/core',
  version: coreVersion,
  core: `>=${coreVersion}`,
  provides: [hard],
};

/** A registry of the given plugins, and of core's own `hard` objective. */
export function createRegistry(plugins: readonly Plugin[] = []): Registry {
  const registry = over(root.createChildContainer(), () => []);
  registry.add(own);
  for (const plugin of plugins) registry.add(plugin);
  return registry;
}

function over(container: DependencyContainer, inherited: () => readonly Entry[]): Registry {
  const entries = (): readonly Entry[] => {
    const ours = container.isRegistered(ALL) ? container.resolveAll(ALL) : [];
    // What came later to the parent does not stand above what was here.
    const theirs = inherited().filter(({ token }) => !ours.some((entry) => entry.token === token));
    return [...theirs, ...ours];
  };
  const self: Registry = {
    add(plugin, { alias = {} } = {}) {
      checkPlugin(plugin);
      const names = plugin.provides.map(({ name }) => name);
      for (const from of Object.keys(alias))
        if (!names.includes(from))
          throw unknownName(`provision of ${plugin.name} to alias`, from, names);
      const added: Entry[] = [];
      for (const provision of plugin.provides) {
        const { kind } = provision;
        const name = alias[provision.name] ?? provision.name;
        const token = tokenOf(kind, name);
        const taken = [...entries(), ...added].find((entry) => entry.token === token);
        if (taken !== undefined) {
          const rule = added.includes(taken)
            ? 'it provides two of that name; rename one, or choose another alias'
            : `${taken.plugin.name} provides one of that name; give one an alias`;
          throw new InputError(`${subjectOf({ kind, name })} of ${plugin.name}: ${rule}`);
        }
        added.push({ token, provision, name, plugin });
      }
      for (const entry of added) {
        container.register(entry.token, { useValue: entry });
        container.register(ALL, { useValue: entry });
      }
    },
    get(kind, name) {
      const token = tokenOf(kind, name);
      if (!container.isRegistered(token, true)) {
        const known = entries().filter(({ provision }) => provision.kind === kind);
        throw unknownName(
          kind,
          name,
          known.map((entry) => entry.name),
        );
      }
      return container.resolve(token).provision as Provision<typeof kind>;
    },
    create(kind, name, options, host) {
      const found = self.get(kind, name);
      const subject = subjectOf({ kind, name });
      const parsed = parseOptions(subject, found.options, options);
      const { plugin } = container.resolve(tokenOf(kind, name));
      return guardedCreate(`${subject} of ${plugin.name} ${plugin.version}`, kind, () =>
        found.create(parsed, host),
      );
    },
    list: () =>
      entries().map(({ provision, name, plugin }) => ({
        name,
        kind: provision.kind,
        package: plugin.name,
        version: plugin.version,
        summary: provision.summary,
        options: jsonSchemaOf(provision.options),
      })),
    child: () => over(container.createChildContainer(), entries),
  };
  return self;
}
