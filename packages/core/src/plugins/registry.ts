/**
 * The registry holds plugins in a tsyringe container, by explicit tokens (no decorators, no
 * metadata). Injection stays at the edge: only this file, `run.ts` and the apps use a container.
 */
import 'reflect-metadata';
import { type DependencyContainer, type InjectionToken, container as root } from 'tsyringe';
import { InputError, unknownName } from '../contracts/errors.js';
import type {
  ComponentDefinition,
  Host,
  JsonSchema,
  Kind,
  Plugin,
  Product,
} from '../contracts/types.js';
import { guardedCreate } from './create.js';
import { formatSubject } from './define.js';
import { parseOptions, toJsonSchema } from './options.js';
import { checkPlugin } from './plugin.js';
import { finishProduct } from './product.js';

/** A component as `grok plugins` shows it. */
export interface Listing {
  readonly name: string;
  readonly kind: Kind;
  readonly package: string;
  readonly version: string;
  readonly summary: string;
  readonly options: JsonSchema;
}
/** Components by kind and name. */
export interface Registry {
  /**
   * Adds all components of a plugin; `alias` renames them.
   * @throws InputError if there already is a component of the same kind and name.
   */
  add(plugin: Plugin, options?: { alias?: Readonly<Record<string, string>> }): void;
  /** @throws InputError that lists the known names and suggests the nearest one. */
  get<K extends Kind>(kind: K, name: string): ComponentDefinition<K>;
  /** Validates options, fills in defaults and calls `create`; errors name the component. */
  create<K extends Kind>(kind: K, name: string, options: unknown, host: Host): Product<K>;
  list(): readonly Listing[];
  /**
   * A child registry: it has all components of this one, also those added later, but additions to it stay
   * local.
   */
  child(): Registry;
}

interface Entry {
  readonly token: InjectionToken<Entry>;
  readonly component: ComponentDefinition;
  readonly name: string;
  readonly plugin: Plugin;
}
const makeToken = (kind: string, name: string): InjectionToken<Entry> =>
  Symbol.for(`@grok/${kind}/${name}`) as InjectionToken<Entry>;
const ALL = Symbol.for('@grok/all') as InjectionToken<Entry>;

/** A registry of the given plugins only. */
export function buildRegistry(plugins: readonly Plugin[]): Registry {
  const registry = over(root.createChildContainer(), () => []);
  for (const plugin of plugins) registry.add(plugin);
  return registry;
}

/** A plugin's components by name. @throws InputError on an alias of an unknown component, and on a name that is taken. */
function nameComponents(
  plugin: Plugin,
  alias: Readonly<Record<string, string>>,
  present: readonly Entry[],
): readonly Entry[] {
  const names = plugin.components.map(({ name }) => name);
  const renamed = new Map(Object.entries(alias));
  for (const from of renamed.keys())
    if (!names.includes(from))
      throw unknownName(`component of ${plugin.name} to alias`, from, names);
  const added: Entry[] = [];
  for (const component of plugin.components) {
    const { kind } = component;
    const name = renamed.get(component.name) ?? component.name;
    const token = makeToken(kind, name);
    const isTaken = (entry: Entry): boolean => entry.token === token;
    const subject = `${formatSubject({ kind, name })} of ${plugin.name}`;
    if (added.some(isTaken))
      throw new InputError(
        `${subject}: the plugin has two with this name; rename one, or choose another alias`,
      );
    const other = present.find(isTaken);
    if (other !== undefined)
      throw new InputError(
        `${subject}: ${other.plugin.name} already has one with this name; give one of them an alias`,
        { code: 'name-taken', data: { kind, name, by: other.plugin.name } },
      );
    added.push({ token, component, name, plugin });
  }
  return added;
}

function over(container: DependencyContainer, inherited: () => readonly Entry[]): Registry {
  const entries = (): readonly Entry[] => {
    const ours = container.isRegistered(ALL) ? container.resolveAll(ALL) : [];
    // Later additions to the parent do not override entries of this registry.
    const theirs = inherited().filter(({ token }) => !ours.some((entry) => entry.token === token));
    return [...theirs, ...ours];
  };
  const self: Registry = {
    add(plugin, { alias = {} } = {}) {
      checkPlugin(plugin);
      for (const entry of nameComponents(plugin, alias, entries())) {
        container.register(entry.token, { useValue: entry });
        container.register(ALL, { useValue: entry });
      }
    },
    get(kind, name) {
      const token = makeToken(kind, name);
      if (!container.isRegistered(token, true)) {
        const known = entries().filter(({ component }) => component.kind === kind);
        throw unknownName(
          kind,
          name,
          known.map((entry) => entry.name),
        );
      }
      return container.resolve(token).component as ComponentDefinition<typeof kind>;
    },
    create(kind, name, options, host) {
      const found = self.get(kind, name);
      const subject = formatSubject({ kind, name });
      const parsed = parseOptions(subject, found.options, options);
      const { plugin } = container.resolve(makeToken(kind, name));
      const created = guardedCreate(`${subject} of ${plugin.name} ${plugin.version}`, kind, () =>
        found.create(parsed, host),
      );
      return finishProduct(found, created);
    },
    list: () =>
      entries().map(({ component, name, plugin }) => ({
        name,
        kind: component.kind,
        package: plugin.name,
        version: plugin.version,
        summary: component.summary,
        options: toJsonSchema(component.options),
      })),
    child: () => over(container.createChildContainer(), entries),
  };
  return self;
}
