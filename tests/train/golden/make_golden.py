"""Makes the golden answers that lie beside this script, with torchvision and timm:

    python3 make_golden.py

gradients.json  of small models, for each parameter the norm of its gradient and the gradient's product with fixed random numbers
steps.json      the losses of 20 training steps by torch.optim's SGD and AdamW

Weights, images and the random numbers are drawn by edgelab's rule (tests/models/golden/random_weights.py). All in double, so
that what differs from edgelab's answer is edgelab's rounding alone.
"""
import json
import pathlib
import sys

import numpy as np
import timm
import torch
import torchvision

HERE = pathlib.Path(__file__).parent
sys.path.append(str(HERE.parent.parent / "models" / "golden"))
import random_weights  # noqa: E402

SMALL_VIT = dict(img_size=32, patch_size=8, depth=2, embed_dim=24, num_heads=3)
CASES = [
    dict(arch="mobilenet_v2", classes=7, input_size=33, width_mult=0.35),
    dict(arch="mobilenet_v2", classes=10, input_size=64),
    dict(arch="deit_tiny_patch16_224", classes=5, img_size=32, depth=2),
    dict(arch="deit_tiny_distilled_patch16_224", classes=6, **SMALL_VIT),
    dict(arch="deit3_small_patch16_224", classes=6, **SMALL_VIT),
]
STEPS = 20
OPTIMIZERS = {
    "sgd": dict(lr=0.01, momentum=0.9, weight_decay=1e-4),
    "adamw": dict(lr=1e-3, weight_decay=0.05),
}
# Batch statistics of a deep network make training chaotic: PyTorch's own losses in fp32 leave those in fp64 by 1e-1 within twenty
# steps, by 1e-3 within ten at this rate. So MobileNetV2 goes six steps with them, and twenty with its running statistics (at
# rates at which it learns, and not jumps).
CHAOTIC = dict(steps=6, lr=1e-4)
CALM = {"sgd": 2e-4, "adamw": 1e-4}


def build(seed, arch, classes, input_size=224, width_mult=1.0, **arguments):
    if arch == "mobilenet_v2":
        model = torchvision.models.mobilenet_v2(num_classes=classes, width_mult=width_mult, dropout=0.0)
    else:
        model = timm.create_model(arch, num_classes=classes, **arguments)
        if "distilled" in arch:
            model.set_distilled_training(False)
    model.load_state_dict({
        name: tensor if name.endswith("num_batches_tracked")
        else torch.from_numpy(random_weights.random_weight(seed, name, tuple(tensor.shape)))
        for name, tensor in model.state_dict().items()
    })
    return model.double()


def images_of(case, seed, name, batch):
    size = case.get("img_size", case.get("input_size", 224))
    values = random_weights.normal(seed, name, batch * 3 * size * size).reshape(batch, 3, size, size)
    return torch.from_numpy(values.astype(np.float64))


def logits_of(model, images):
    logits = model(images)
    return (logits[0] + logits[1]) / 2 if isinstance(logits, tuple) else logits


def gradients_of(case, seed, batch, training):
    model = build(seed, **case)
    model.train(training)
    labels = torch.arange(batch) % case["classes"]
    loss = torch.nn.functional.cross_entropy(logits_of(model, images_of(case, seed, "images", batch)), labels)
    loss.backward()
    gradients = {}
    for name, parameter in model.named_parameters():
        gradient = parameter.grad.numpy().ravel()
        probe = random_weights.normal(seed, "probe." + name, gradient.size).astype(np.float64)
        gradients[name] = [float(f"{np.linalg.norm(gradient):.9g}"), float(f"{gradient @ probe:.9g}")]
    return float(loss.detach()), gradients


def decays(name, parameter):
    return parameter.ndim >= 2 and name not in ("cls_token", "dist_token", "pos_embed")


def losses_of(case, seed, batch, settings, training, steps):
    model = build(seed, **case)
    model.train(training)
    settings = dict(settings)
    optimizer = settings.pop("name")
    decay = settings.pop("weight_decay")
    groups = [
        {"params": [p for n, p in model.named_parameters() if decays(n, p) == wanted], "weight_decay": decay if wanted else 0.0}
        for wanted in (True, False)
    ]
    method = torch.optim.SGD if optimizer == "sgd" else torch.optim.AdamW
    method = method(groups, **settings)
    losses = []
    for step in range(steps):
        # Four batches, again and again: so that the losses fall.
        labels = (torch.arange(batch) + step % 4) % case["classes"]
        loss = torch.nn.functional.cross_entropy(logits_of(model, images_of(case, seed, f"images.{step % 4}", batch)), labels)
        method.zero_grad()
        loss.backward()
        method.step()
        losses.append(float(f"{loss.item():.9g}"))
    return losses


def main():
    timm.layers.set_fused_attn(False)
    gradients, steps = [], []
    for index, case in enumerate(CASES):
        seed = 300 + index
        has_statistics = case["arch"] == "mobilenet_v2"
        for training in [False, True] if has_statistics else [True]:
            batch = 16 if has_statistics and training else 5
            loss, entry = gradients_of(case, seed, batch, training)
            gradients.append(json.dumps({"model": case, "seed": seed, "batch": batch, "training": training, "loss": loss, "gradients": entry}))
            for name, settings in OPTIMIZERS.items():
                chaotic = has_statistics and training
                settings = dict(settings, name=name)
                if chaotic:
                    settings["lr"] = CHAOTIC["lr"]
                elif has_statistics:
                    settings["lr"] = CALM[name]
                batch = 16 if chaotic else 8
                losses = losses_of(case, seed, batch, settings, training, CHAOTIC["steps"] if chaotic else STEPS)
                print(case["arch"], training, settings, [round(loss, 3) for loss in losses])
                steps.append(json.dumps({"model": case, "seed": seed, "batch": batch, "training": training, "optimizer": settings, "losses": losses}))
    (HERE / "gradients.json").write_text("[\n" + ",\n".join(gradients) + "\n]\n")
    (HERE / "steps.json").write_text("[\n" + ",\n".join(steps) + "\n]\n")


main()
