"""The published code itself (https://github.com/atsentia/jax-tunix-grokking), from a checkout: a timed epoch with evaluation per `go`.

Its own model, data, optimizer, training step and loss; the loop and the order of things are those of
its `train`, without what that prints and saves. `jit` compiles step and evaluation with nnx.jit,
`eager` runs them as published.
"""

import os
import sys
import types

from common import BATCH, PRIME, VOCABULARY, arguments, keep_to_cores, now, serve

args = arguments(["eager", "jit"], "reference")
threads = keep_to_cores(args.threads)
sys.path.insert(0, os.path.join(args.reference, "src"))
# Checkpoints need orbax, and nothing is saved here.
sys.modules["checkpointing"] = types.ModuleType("checkpointing")
sys.modules["checkpointing"].__getattr__ = lambda name: None

import flax  # noqa: E402
import jax  # noqa: E402
import numpy as np  # noqa: E402
from data import grokking_data  # noqa: E402
from flax import nnx  # noqa: E402
from models import Transformer, TransformerConfig  # noqa: E402
from train_nnx import compute_loss_and_accuracy, create_optimizer, train_step  # noqa: E402


def main():
    x_train, y_train, x_val, y_val = grokking_data(PRIME, "/", 0.5, args.seed)
    config = TransformerConfig(dim=args.dim, n_tokens=VOCABULARY, dropout=args.dropout)
    model = Transformer(config, nnx.Rngs(params=args.seed, dropout=args.seed))
    optimizer = create_optimizer("adamw", 1e-3, 10, 0.9, 0.98, 1.0)
    opt_state = optimizer.init(nnx.state(model, nnx.Param))
    key = jax.random.PRNGKey(args.seed)
    order = np.random.default_rng(args.seed)

    def score(model, tokens, labels):
        return compute_loss_and_accuracy(model, tokens, labels, VOCABULARY, training=False)[1]

    step = train_step
    if args.mode == "jit":
        step = nnx.jit(train_step, static_argnames=("optimizer", "n_tokens"))
        score = nnx.jit(score)

    def epoch():
        nonlocal model, opt_state, key
        rows = len(y_train)
        start = now()
        shuffled = order.permutation(rows)
        tokens, labels = x_train[shuffled], y_train[shuffled]
        loss, whole = 0.0, 0.0
        for first in range(0, rows, BATCH):
            if first + BATCH > rows:
                whole = (now() - start) / (first // BATCH)
            batch = tokens[first : first + BATCH], labels[first : first + BATCH]
            key, drawn = jax.random.split(key)
            model, opt_state, metrics = step(
                model,
                optimizer=optimizer,
                opt_state=opt_state,
                batch_X=batch[0],
                batch_y=batch[1],
                n_tokens=VOCABULARY,
                dropout_rng=drawn,
            )
            loss += float(metrics["loss"]) * len(batch[1])
        return {"stepMs": whole, "epochMs": now() - start, "loss": loss / rows}

    def evaluate():
        metrics = score(model, x_val, y_val)
        return float(metrics["accuracy"])

    for _ in range(2):
        epoch()
        evaluate()

    parameters = sum(x.size for x in jax.tree.leaves(nnx.state(model, nnx.Param)))
    serve(
        {
            "version": f"jax {jax.__version__}, flax {flax.__version__}",
            "threads": threads,
            "parameters": int(parameters),
            "evaluationBatch": len(y_val),
        },
        epoch,
        evaluate,
    )


main()
