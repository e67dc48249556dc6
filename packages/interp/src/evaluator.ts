/**
 * The exact metric of a model with some components ablated. Without a norm behind it, the last block's MLP
 * enters the logits linearly: ablating one more of its neurons is a rank-1 update of the logits, which takes
 * no forward pass. Whether that holds for a model is measured, not assumed.
 */
import { ablationHooks, type CircuitComponent } from './components.js';
import type { HookedModel } from './hooked-model.js';
import {
  createLinearNeurons,
  type EvaluatorOptions,
  type LinearNeurons,
  type NeuronState,
} from './linear-neurons.js';

/** Number of exact evaluations so far. */
export interface Evaluations {
  readonly forwardPasses: number;
  /** Number of rank-1 updates of the logits. */
  readonly logitUpdates: number;
}
/** Measures sets of ablated components, by their names. */
export interface Evaluator {
  /** The metric with these ablated, by the cheapest exact way. Of one set after another, the last name is best the new one. */
  measure(ablated: ReadonlySet<string>): Promise<number>;
  /** The metric with these ablated, by a forward pass. */
  measureInFull(ablated: ReadonlySet<string>): Promise<number>;
  evaluations(): Evaluations;
  dispose(): void;
}
/** More neurons than these at once are ablated by a forward pass. */
const MOST_UPDATES = 16;

/** An evaluator over components of a model. */
export async function createEvaluator(
  model: HookedModel,
  components: readonly CircuitComponent[],
  options: EvaluatorOptions,
): Promise<Evaluator> {
  const { batch, metric, ablate = 'mean' } = options;
  const counts = { forwardPasses: 0, logitUpdates: 0 };
  const linear = await createLinearNeurons(model, components, options);
  let state: { readonly ablated: ReadonlySet<string>; readonly at: NeuronState } | undefined;

  const buildHooks = (ablated: ReadonlySet<string>) => ablationHooks(components, ablated, ablate);
  const measureInFull = (ablated: ReadonlySet<string>): Promise<number> => {
    counts.forwardPasses++;
    return model.measure(batch, metric, buildHooks(ablated));
  };
  /** The state with these ablated: the last one updated where only a few neurons are new. */
  async function reach(neurons: LinearNeurons, ablated: ReadonlySet<string>): Promise<NeuronState> {
    const known = state?.ablated ?? new Set();
    const added = [...ablated].filter((name) => !known.has(name));
    const isNear =
      state !== undefined &&
      known.size + added.length === ablated.size &&
      added.length <= MOST_UPDATES &&
      added.every(neurons.has);
    let at: NeuronState;
    if (isNear && state !== undefined) at = added.reduce(neurons.update, state.at);
    else {
      counts.forwardPasses++;
      at = await neurons.read(buildHooks(ablated));
    }
    state = { ablated: new Set(ablated), at };
    return at;
  }
  return {
    async measure(ablated) {
      const last = [...ablated].at(-1);
      if (linear === undefined || last === undefined || !linear.has(last))
        return measureInFull(ablated);
      const others = new Set(ablated);
      others.delete(last);
      const at = await reach(linear, others);
      counts.logitUpdates++;
      return linear.measureWithout(at, last);
    },
    measureInFull,
    evaluations: () => ({ ...counts }),
    dispose: () => linear?.dispose(),
  };
}
