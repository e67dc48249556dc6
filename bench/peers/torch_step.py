"""The reference's model and optimizer in PyTorch: a timed epoch with evaluation per `go`.

A pre-norm decoder (RMSNorm, rope on half-split features, SwiGLU, no biases) on a / b mod 97, AdamW
with a linear warm-up of ten steps. Eager, or the model under torch.compile; the optimizer is
PyTorch's fused one in both, its fastest on a CPU.
"""

import torch
import torch.nn as nn
import torch.nn.functional as F

from common import BATCH, EVALUATION_BATCHES, VOCABULARY, arguments, division, fastest, now, serve

EPS, ROPE_BASE, POSITIONS = 1e-6, 1e6, 4


def linear(fan_in, fan_out):
    layer = nn.Linear(fan_in, fan_out, bias=False)
    sigma = fan_in**-0.5 / 0.87962566
    nn.init.trunc_normal_(layer.weight, std=sigma, a=-2 * sigma, b=2 * sigma)
    return layer


def rotate(x, cos, sin):
    first, second = x.chunk(2, dim=-1)
    return torch.cat((first * cos - second * sin, first * sin + second * cos), dim=-1)


class Attention(nn.Module):
    def __init__(self, dim, heads, dropout):
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.out = (linear(dim, dim) for _ in range(4))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x, cos, sin):
        batch, positions, dim = x.shape

        def split(y):  # [batch, heads, pos, d_head]
            return y.view(batch, positions, self.heads, -1).transpose(1, 2)

        q = rotate(split(self.query(x)), cos, sin)
        k = rotate(split(self.key(x)), cos, sin)
        z = F.scaled_dot_product_attention(q, k, split(self.value(x)), is_causal=True)
        return self.dropout(self.out(z.transpose(1, 2).reshape(batch, positions, dim)))


class Block(nn.Module):
    def __init__(self, dim, heads, dropout):
        super().__init__()
        self.norm1, self.norm2 = nn.RMSNorm(dim, eps=EPS), nn.RMSNorm(dim, eps=EPS)
        self.attention = Attention(dim, heads, dropout)
        self.gate, self.up, self.down = linear(dim, 4 * dim), linear(dim, 4 * dim), linear(4 * dim, dim)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x, cos, sin):
        x = x + self.attention(self.norm1(x), cos, sin)
        h = self.norm2(x)
        return x + self.down(self.dropout(F.silu(self.gate(h)) * self.up(h)))


class Decoder(nn.Module):
    def __init__(self, dim, dropout, depth=2, heads=1):
        super().__init__()
        self.embed = nn.Embedding(VOCABULARY, dim)
        nn.init.normal_(self.embed.weight, std=dim**-0.5)
        self.blocks = nn.ModuleList(Block(dim, heads, dropout) for _ in range(depth))
        self.norm = nn.RMSNorm(dim, eps=EPS)
        self.unembed = linear(dim, VOCABULARY)
        half = dim // heads // 2
        angle = torch.outer(torch.arange(POSITIONS), ROPE_BASE ** (-torch.arange(half) / half))
        self.register_buffer("cos", angle.cos())
        self.register_buffer("sin", angle.sin())

    def forward(self, tokens):
        x = self.embed(tokens)  # [batch, pos, d_model]
        for block in self.blocks:
            x = block(x, self.cos, self.sin)
        return self.unembed(self.norm(x)[:, -1])


def main():
    args = arguments(["eager", "compile"])
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    train, validation = (tuple(map(torch.from_numpy, rows)) for rows in division(args.seed))
    model = Decoder(args.dim, args.dropout)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=1e-3, betas=(0.9, 0.98), eps=1e-8, weight_decay=1.0, fused=True
    )

    def score(tokens, labels):
        logits = model(tokens)
        return F.cross_entropy(logits, labels), (logits.argmax(-1) == labels).sum()

    if args.mode == "compile":
        # A graph for each batch size: the epoch's last one has 48 rows.
        torch._dynamo.config.cache_size_limit = 32
        score = torch.compile(score, dynamic=False)

    steps = 0

    def step(rows):
        nonlocal steps
        for group in optimizer.param_groups:
            group["lr"] = 1e-3 * min(1.0, steps / 10)
        loss, _ = score(train[0][rows], train[1][rows])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        steps += 1
        return loss.detach()

    def epoch():
        model.train()
        batches = torch.randperm(len(train[1])).split(BATCH)
        start = now()
        losses = [step(rows) for rows in batches[:-1]]
        whole = now() - start
        losses.append(step(batches[-1]))
        mean = torch.stack(losses).mean().item()
        return {"stepMs": whole / (len(batches) - 1), "epochMs": now() - start, "loss": mean}

    def evaluate(size):
        model.eval()
        correct = 0
        with torch.inference_mode():
            for tokens, labels in zip(validation[0].split(size), validation[1].split(size)):
                correct += score(tokens, labels)[1]
        return int(correct) / len(validation[1])

    epoch()
    size = fastest(EVALUATION_BATCHES, evaluate)
    epoch()

    serve(
        {
            "version": f"torch {torch.__version__}",
            "threads": torch.get_num_threads(),
            "parameters": sum(p.numel() for p in model.parameters()),
            "evaluationBatch": size,
        },
        epoch,
        lambda: evaluate(size),
    )


main()
