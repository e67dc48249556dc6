/**
 * Two ways to create a component: `logit({ temperature: 2 })` in code and `{ "use": "logit" }` in a
 * spec call the same `create`, with the same check of options.
 */
import * as tf from '@grok/tfjs';
import type {
  ComponentDefinition,
  Created,
  Host,
  Kind,
  Plugin,
  Product,
  SchemaResult,
} from '../contracts/types.js';
import { parseOptions } from './options.js';
import { finishProduct } from './product.js';

/** A component that can also be called with options (all optional) and returns what it creates. */
export type Component<K extends Kind, I = Record<string, never>> = ComponentDefinition<K> &
  ((options?: I) => Product<K>);

/** The definition of a component, without its kind. */
export interface Definition<K extends Kind, I, O> {
  readonly name: string;
  /** One sentence for people. */
  readonly summary: string;
  readonly options: {
    readonly '~standard': {
      readonly version: 1;
      readonly vendor: string;
      validate(value: unknown): SchemaResult<O> | Promise<SchemaResult<O>>;
      readonly types?: { readonly input: I; readonly output: O } | undefined;
    };
  };
  create(options: O, host: Host): Created[K];
}
/** Declares a component of one kind; `create` receives validated options and `{ tf }`. */
export type Define<K extends Kind> = <I, O>(definition: Definition<K, I, O>) => Component<K, I>;

function define<K extends Kind>(kind: K): Define<K> {
  return <I, O>(definition: Definition<K, I, O>): Component<K, I> => {
    const component: ComponentDefinition<K> = { kind, ...definition };
    const call = (options?: I): Product<K> => {
      const parsed = parseOptions(formatSubject(component), component.options, options);
      return finishProduct(component, component.create(parsed, { tf }));
    };
    // A function's own `name` is neither writable nor enumerable.
    Object.defineProperty(call, 'name', { writable: true, enumerable: true });
    return Object.assign(call, component);
  };
}

/** Defines a task: a labeled data set. */
export const defineTask: Define<'task'> = define('task');
/** Defines a split into training and validation rows. */
export const defineSplit: Define<'split'> = define('split');
/** Defines a model. */
export const defineModel: Define<'model'> = define('model');
/** Defines a strategy: a term of the loss. */
export const defineStrategy: Define<'strategy'> = define('strategy');
/** Defines an optimizer: a gradient transformation as in optax. */
export const defineOptimizer: Define<'optimizer'> = define('optimizer');
/** Defines a backend, which compiles and runs training steps; `create` returns an adapter. */
export const defineBackend: Define<'backend'> = define('backend');
/** Defines a probe, which measures a run. */
export const defineProbe: Define<'probe'> = define('probe');
/** Defines a tracker, which sends a run's events elsewhere. */
export const defineTracker: Define<'tracker'> = define('tracker');
/** Defines an executor, which runs the jobs of a study. */
export const defineExecutor: Define<'executor'> = define('executor');
/** Declares an exporter: what writes a run or a study as another tool reads it. */
export const defineExporter: Define<'exporter'> = define('exporter');
/** Defines a store, which saves runs. */
export const defineStore: Define<'store'> = define('store');

/** Defines a transform, which changes a model's parameters or activations, such as a pruning mask. */
export const defineTransform: Define<'transform'> = define('transform');

/** Defines a plugin: a plain object, the default export of a module. */
export function definePlugin(plugin: Plugin): Plugin {
  return plugin;
}

/** How errors name a component: `strategy "logit"`. */
export function formatSubject(of: { kind: string; name: string }): string {
  return `${of.kind} "${of.name}"`;
}
