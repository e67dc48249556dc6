"""The reference's model and optimizer in JAX, Flax nnx and optax: a timed epoch with evaluation per `go`.

The same decoder as torch_step.py. `jit` compiles the training step and the evaluation with nnx.jit;
`eager` runs them as the reference was published.
"""

from common import (
    BATCH,
    EVALUATION_BATCHES,
    VOCABULARY,
    arguments,
    division,
    fastest,
    keep_to_cores,
    now,
    serve,
)

args = arguments(["eager", "jit"])
threads = keep_to_cores(args.threads)

import flax  # noqa: E402
import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
import optax  # noqa: E402
from flax import nnx  # noqa: E402

EPS, ROPE_BASE, POSITIONS = 1e-6, 1e6, 4


def linear(fan_in, fan_out, rngs):
    return nnx.Linear(fan_in, fan_out, use_bias=False, rngs=rngs)  # LeCun normal is nnx's default


def rotate(x, cos, sin):
    first, second = jnp.split(x, 2, axis=-1)
    return jnp.concatenate((first * cos - second * sin, first * sin + second * cos), axis=-1)


class Attention(nnx.Module):
    def __init__(self, dim, heads, dropout, rngs):
        self.heads = heads
        self.query, self.key = linear(dim, dim, rngs), linear(dim, dim, rngs)
        self.value, self.out = linear(dim, dim, rngs), linear(dim, dim, rngs)
        self.dropout = nnx.Dropout(dropout, rngs=rngs)

    def __call__(self, x):
        batch, positions, dim = x.shape
        width = dim // self.heads

        def split(y):  # [batch, heads, pos, d_head]
            return y.reshape(batch, positions, self.heads, width).swapaxes(1, 2)

        half = width // 2
        angle = jnp.outer(jnp.arange(positions), ROPE_BASE ** (-jnp.arange(half) / half))
        cos, sin = jnp.cos(angle), jnp.sin(angle)
        q, k = rotate(split(self.query(x)), cos, sin), rotate(split(self.key(x)), cos, sin)
        scores = q @ k.swapaxes(-1, -2) * width**-0.5  # [batch, heads, query, key]
        causal = jnp.tril(jnp.ones((positions, positions), bool))
        z = jax.nn.softmax(jnp.where(causal, scores, -jnp.inf)) @ split(self.value(x))
        return self.dropout(self.out(z.swapaxes(1, 2).reshape(batch, positions, dim)))


class Block(nnx.Module):
    def __init__(self, dim, heads, dropout, rngs):
        self.norm1 = nnx.RMSNorm(dim, epsilon=EPS, rngs=rngs)
        self.norm2 = nnx.RMSNorm(dim, epsilon=EPS, rngs=rngs)
        self.attention = Attention(dim, heads, dropout, rngs)
        self.gate, self.up = linear(dim, 4 * dim, rngs), linear(dim, 4 * dim, rngs)
        self.down = linear(4 * dim, dim, rngs)
        self.dropout = nnx.Dropout(dropout, rngs=rngs)

    def __call__(self, x):
        x = x + self.attention(self.norm1(x))
        h = self.norm2(x)
        return x + self.down(self.dropout(jax.nn.silu(self.gate(h)) * self.up(h)))


class Decoder(nnx.Module):
    def __init__(self, dim, dropout, rngs, depth=2, heads=1):
        normal = nnx.initializers.normal(dim**-0.5)
        self.embed = nnx.Embed(VOCABULARY, dim, embedding_init=normal, rngs=rngs)
        self.blocks = [Block(dim, heads, dropout, rngs) for _ in range(depth)]
        self.norm = nnx.RMSNorm(dim, epsilon=EPS, rngs=rngs)
        self.unembed = linear(dim, VOCABULARY, rngs)

    def __call__(self, tokens):
        x = self.embed(tokens)  # [batch, pos, d_model]
        for block in self.blocks:
            x = block(x)
        return self.unembed(self.norm(x)[:, -1])


def score(model, tokens, labels):
    logits = model(tokens)
    loss = optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()
    return loss, (logits.argmax(-1) == labels).sum()


def step(model, optimizer, tokens, labels):
    (loss, _), grads = nnx.value_and_grad(score, has_aux=True)(model, tokens, labels)
    optimizer.update(model, grads)
    return loss


def main():
    train, validation = division(args.seed)
    model = Decoder(args.dim, args.dropout, nnx.Rngs(args.seed))
    schedule = optax.linear_schedule(0.0, 1e-3, 10)
    adamw = optax.adamw(schedule, b1=0.9, b2=0.98, eps=1e-8, weight_decay=1.0)
    optimizer = nnx.Optimizer(model, adamw, wrt=nnx.Param)
    compiled = args.mode == "jit"
    train_step, eval_step = (nnx.jit(step), nnx.jit(score)) if compiled else (step, score)
    order = np.random.default_rng(args.seed)

    def epoch():
        model.train()
        shuffled = order.permutation(len(train[1]))
        batches = [shuffled[i : i + BATCH] for i in range(0, len(shuffled), BATCH)]
        start = now()
        losses = []
        for rows in batches[:-1]:
            losses.append(train_step(model, optimizer, jnp.asarray(train[0][rows]), jnp.asarray(train[1][rows])))
        jax.block_until_ready(losses)
        whole = now() - start
        rows = batches[-1]
        losses.append(train_step(model, optimizer, jnp.asarray(train[0][rows]), jnp.asarray(train[1][rows])))
        mean = float(jnp.mean(jnp.stack(losses)))
        jax.block_until_ready(nnx.state(model, nnx.Param))
        return {"stepMs": whole / (len(batches) - 1), "epochMs": now() - start, "loss": mean}

    def evaluate(size):
        model.eval()
        correct = [
            eval_step(model, jnp.asarray(validation[0][i : i + size]), jnp.asarray(validation[1][i : i + size]))[1]
            for i in range(0, len(validation[1]), size)
        ]
        return sum(int(n) for n in correct) / len(validation[1])

    epoch()
    size = fastest(EVALUATION_BATCHES, evaluate)
    epoch()

    parameters = sum(x.size for x in jax.tree.leaves(nnx.state(model, nnx.Param)))
    serve(
        {
            "version": f"jax {jax.__version__}, flax {flax.__version__}",
            "threads": threads,
            "parameters": int(parameters),
            "evaluationBatch": size,
        },
        epoch,
        lambda: evaluate(size),
    )


main()
