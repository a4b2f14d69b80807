"""Makes the golden answers that lie beside this script, with torchvision and timm:

    python3 make_golden.py

state_dicts.json  names and shapes of the weights of every architecture, parameters and multiply-adds counted by PyTorch
logits.json       logits of small models whose weights and images edgelab draws from the same seed by the same rule
"""
import json
import pathlib

import numpy as np
import timm
import torch
import torchvision
from torch.utils.flop_counter import FlopCounterMode

import random_weights

HERE = pathlib.Path(__file__).parent
VIT = ["vit_tiny", "vit_small", "vit_base", "deit_tiny", "deit_small", "deit_base", "deit_tiny_distilled",
       "deit_small_distilled", "deit3_small", "deit3_base"]
SMALL_VIT = dict(img_size=32, patch_size=8, depth=2, embed_dim=24, num_heads=3)
CASES = [
    dict(arch="mobilenet_v2", classes=10, input_size=96),
    dict(arch="mobilenet_v2", classes=7, input_size=33, width_mult=0.35),
    dict(arch="mobilenet_v2", classes=5, input_size=64, width_mult=1.4),
    dict(arch="mobilenet_v2", classes=5, input_size=32, width_mult=0.1),
    dict(arch="vit_tiny_patch16_224", classes=10, img_size=32, patch_size=4, depth=3),
    dict(arch="vit_small_patch16_224", classes=5, **SMALL_VIT),
    dict(arch="deit_tiny_patch16_224", classes=5, img_size=48, depth=2),
    dict(arch="deit_base_patch16_224", classes=5, **SMALL_VIT | dict(num_heads=1)),
    dict(arch="deit_tiny_distilled_patch16_224", classes=6, **SMALL_VIT),
    dict(arch="deit_small_distilled_patch16_224", classes=6, **SMALL_VIT | dict(num_heads=12, embed_dim=36)),
    dict(arch="deit3_small_patch16_224", classes=6, **SMALL_VIT),
    dict(arch="deit3_base_patch16_224", classes=6, **SMALL_VIT | dict(depth=4)),
]


def build(arch, classes=1000, input_size=224, width_mult=1.0, **arguments):
    if arch == "mobilenet_v2":
        return torchvision.models.mobilenet_v2(num_classes=classes, width_mult=width_mult).eval()
    return timm.create_model(arch, num_classes=classes, **arguments).eval()


def state_dict_of(arch):
    model = build(arch)
    counter = FlopCounterMode(display=False)
    with torch.inference_mode(), counter:
        model(torch.zeros(1, 3, 224, 224))
    # The blocks of a vision transformer are alike, so one stands for all: "blocks.*.norm1.weight".
    tensors = {}
    for name, tensor in model.state_dict().items():
        parts = name.split(".")
        if parts[0] == "blocks":
            assert arch != "mobilenet_v2"
            parts[1] = "*"
        if parts[-1] != "num_batches_tracked":
            shape = list(tensor.shape)
            assert tensors.setdefault(".".join(parts), shape) == shape
    return {
        "parameters": sum(p.numel() for p in model.parameters()),
        "multiply_adds": counter.get_total_flops() // 2,
        "depth": len(model.blocks) if hasattr(model, "blocks") else 0,
        "tensors": tensors,
    }


def logits_of(case, seed, batch):
    model = build(**case)
    model.load_state_dict({
        name: tensor if name.endswith("num_batches_tracked")
        else torch.from_numpy(random_weights.random_weight(seed, name, tuple(tensor.shape)))
        for name, tensor in model.state_dict().items()
    })
    size = case.get("img_size", case.get("input_size", 224))
    images = random_weights.normal(seed, "images", batch * 3 * size * size).reshape(batch, 3, size, size)
    # In double, so that what differs from edgelab's answer is edgelab's rounding alone.
    with torch.inference_mode():
        return model.double()(torch.from_numpy(images.astype(np.float64))).numpy()


def main():
    timm.layers.set_fused_attn(False)
    dicts = {arch: state_dict_of(arch) for arch in ["mobilenet_v2"] + [name + "_patch16_224" for name in VIT]}
    lines = []
    for arch, entry in dicts.items():
        tensors = ",\n".join(f"    {json.dumps(name)}: {json.dumps(shape)}" for name, shape in entry.pop("tensors").items())
        lines.append(f' {json.dumps(arch)}: {json.dumps(entry)[:-1]}, "tensors": {{\n{tensors}}}}}')
    (HERE / "state_dicts.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")

    lines = []
    for index, case in enumerate(CASES):
        seed, batch = 100 + index, 3
        logits = logits_of(case, seed, batch)
        print(case["arch"], f"std {logits.std():.3f}, over images {logits.std(0).mean():.3f}")
        numbers = [[float(f"{value:.9g}") for value in row] for row in logits]
        lines.append(json.dumps({"model": case, "seed": seed, "batch": batch, "logits": numbers}))
    (HERE / "logits.json").write_text("[\n" + ",\n".join(lines) + "\n]\n")


main()
