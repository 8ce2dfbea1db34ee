#!/usr/bin/env python3
"""PyTorch's side of `make bench`: the workloads of src/app/workload.c, built the same and stepped the same way.

torch_peers.py [--threads N] [--blocks B] [--compile] [NAME ...]     one line of JSON a workload
torch_peers.py --probe                                               says nothing; status 0: PyTorch is here

A step is forward, loss, backward and update on one synthetic batch; a block is as many steps as fill 0.4 s; the median of the
blocks' means counts. Images lie channels last, which PyTorch's convolutions on processors prefer.
"""
import argparse
import json
import resource
import statistics
import sys
import time

import torch
from torch import nn


class LastSteps(nn.Module):
    """Embedding, LSTM, a dense layer on every step; classes in front, as cross_entropy wants them."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(65, 64)
        self.lstm = nn.LSTM(64, 256, batch_first=True)
        self.head = nn.Linear(256, 65)

    def forward(self, x):
        states, _ = self.lstm(self.embedding(x))
        return self.head(states).transpose(1, 2)


class Decoder(nn.Module):
    """Four pre-norm blocks of width 128, 4 heads, feed-forward 512, on 64 learnt positions."""

    def __init__(self):
        super().__init__()
        self.tokens = nn.Embedding(65, 128)
        self.positions = nn.Parameter(torch.zeros(64, 128))
        layer = nn.TransformerEncoderLayer(128, 4, dim_feedforward=512, dropout=0.0, activation="gelu", batch_first=True, norm_first=True)
        self.blocks = nn.TransformerEncoder(layer, num_layers=4, enable_nested_tensor=False)
        self.head = nn.Linear(128, 65)
        self.register_buffer("causal", nn.Transformer.generate_square_subsequent_mask(64))

    def forward(self, x):
        y = self.blocks(self.tokens(x) + self.positions, mask=self.causal, is_causal=True)
        return self.head(y).transpose(1, 2)


class Block(nn.Module):
    """Two convolutions beside a shortcut, which is a convolution of size 1 where the shape changes."""

    def __init__(self, before, after, stride):
        super().__init__()
        self.first = nn.Conv2d(before, after, 3, stride=stride, padding=1, bias=False)
        self.first_norm = nn.BatchNorm2d(after)
        self.second = nn.Conv2d(after, after, 3, padding=1, bias=False)
        self.second_norm = nn.BatchNorm2d(after)
        changes = stride != 1 or before != after
        self.shortcut = nn.Conv2d(before, after, 1, stride=stride, bias=False) if changes else None

    def forward(self, x):
        y = torch.relu(self.first_norm(self.first(x)))
        y = self.second_norm(self.second(y))
        return torch.relu(y + (self.shortcut(x) if self.shortcut is not None else x))


def xor():
    return nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 1), nn.Sigmoid())


def perceptron():
    widths, layers = (784, 512, 256), []
    for a, b in zip(widths, widths[1:]):
        layers += [nn.Linear(a, b), nn.ReLU(), nn.Dropout(0.5)]
    return nn.Sequential(*layers, nn.Linear(256, 10))


def convolutions():
    return nn.Sequential(
        nn.Conv2d(3, 32, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(64, 64, 3), nn.ReLU(), nn.Flatten(),
        nn.Linear(4 * 4 * 64, 64), nn.ReLU(), nn.Linear(64, 10))


def resnet():
    layers = [nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    before = 16
    for stage, width in enumerate((16, 32, 64)):
        for block in range(3):
            layers.append(Block(before, width, 2 if stage and not block else 1))
            before = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def pictures(n):
    return torch.rand(n, 3, 32, 32).contiguous(memory_format=torch.channels_last), torch.randint(10, (n,))


def texts(n):
    return torch.randint(65, (n, 64)), torch.randint(65, (n, 64))


def adam(weights):
    return torch.optim.Adam(weights, lr=1e-3)


WORKLOADS = {  # name: (model, batch, loss, optimizer); no loss: prediction only
    "xor_b32": (xor, lambda: (torch.rand(32, 2), torch.randint(2, (32, 1)).float()), nn.functional.binary_cross_entropy, adam),
    "mlp_sgd_b32": (perceptron, lambda: (torch.rand(32, 784), torch.randint(10, (32,))), nn.functional.cross_entropy,
                    lambda w: torch.optim.SGD(w, lr=0.01)),
    "mlp_adam_b128": (perceptron, lambda: (torch.rand(128, 784), torch.randint(10, (128,))), nn.functional.cross_entropy, adam),
    "cifar_cnn_b64": (convolutions, lambda: pictures(64), nn.functional.cross_entropy, adam),
    "resnet20_b64": (resnet, lambda: pictures(64), nn.functional.cross_entropy,
                     lambda w: torch.optim.SGD(w, lr=0.1, momentum=0.9, weight_decay=5e-4)),
    "char_lstm_b32": (LastSteps, lambda: texts(32), nn.functional.cross_entropy, adam),
    "gpt_b16": (Decoder, lambda: texts(16), nn.functional.cross_entropy, adam),
    "cifar_cnn_infer_b1": (convolutions, lambda: pictures(1), None, None),
    "cifar_cnn_infer_b256": (convolutions, lambda: pictures(256), None, None),
}


def make_step(name, compiled):
    build, batch, loss, optimizer = WORKLOADS[name]
    torch.manual_seed(1)
    model, (x, y) = build(), batch()
    if x.dim() == 4:
        model = model.to(memory_format=torch.channels_last)
    model.train(loss is not None)
    call = torch.compile(model) if compiled else model
    if loss is None:
        def predict():
            with torch.inference_mode():
                call(x)
        return predict, x.shape[0]
    update = optimizer(model.parameters())

    def train():
        update.zero_grad(set_to_none=True)
        loss(call(x), y).backward()
        update.step()
    return train, x.shape[0]


def median_seconds(step, blocks):
    for _ in range(3):
        step()
    steps, began = 0, time.perf_counter()
    while time.perf_counter() - began < 0.4:
        step()
        steps += 1
    means = []
    for _ in range(blocks):
        began = time.perf_counter()
        for _ in range(steps):
            step()
        means.append((time.perf_counter() - began) / steps)
    return statistics.median(means)


def main():
    parser = argparse.ArgumentParser(description="PyTorch's side of make bench")
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--blocks", type=int, default=5)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--probe", action="store_true")
    asked = parser.parse_args()
    if asked.probe:
        return
    unknown = [name for name in asked.names if name not in WORKLOADS]
    if unknown:
        sys.exit("torch_peers.py: no workload " + ", ".join(unknown))
    torch.set_num_threads(asked.threads)
    for name in asked.names or WORKLOADS:
        step, samples = make_step(name, asked.compile)
        seconds = median_seconds(step, asked.blocks)
        print(json.dumps({"peer": "torch-" + torch.__version__ + ("-compile" if asked.compile else ""), "workload": name, "threads": asked.threads,
                          "ms_per_step": round(seconds * 1e3, 4), "samples_per_s": round(samples / seconds, 1),
                          "resident_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)}), flush=True)


if __name__ == "__main__":
    main()
