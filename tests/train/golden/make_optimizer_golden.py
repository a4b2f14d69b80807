#!/usr/bin/env python3
"""Writes optimizer_golden.hpp: 20 steps of torch.optim's methods and 12 epochs of its schedules.

Run with a Python that has torch: python3 make_optimizer_golden.py > optimizer_golden.hpp
"""
import torch
from torch.optim import lr_scheduler

STEPS = 20
PARAMETERS = {"blocks.0.weight": (3, 5), "blocks.0.bias": (7,), "pos_embed": (1, 2, 4)}
OPTIMIZERS = [
    dict(method="sgd", momentum=0.0, weight_decay=0.01),
    dict(method="sgd", momentum=0.9, weight_decay=0.0),
    dict(method="sgd", momentum=0.9, weight_decay=0.1),
    dict(method="sgd", momentum=0.8, weight_decay=0.1, nesterov=True),
    dict(method="sgd", momentum=0.9, weight_decay=0.1, clip=2.0),
    dict(method="adamw", weight_decay=0.0),
    dict(method="adamw", weight_decay=0.3),
    dict(method="adamw", weight_decay=0.3, clip=2.0),
]
STEPS_PER_EPOCH = 7
SCHEDULES = [
    dict(curve="constant", epochs=4, warmup=0),
    dict(curve="constant", epochs=4, warmup=2),
    dict(curve="cosine", epochs=12, warmup=0),
    dict(curve="cosine", epochs=12, warmup=3),
    dict(curve="step", epochs=12, warmup=0),
    dict(curve="step", epochs=12, warmup=1),
    dict(curve="step", epochs=12, warmup=1, step_epochs=[2, 5, 11], gamma=0.3),
    dict(curve="one_cycle", epochs=12, warmup=0),
    dict(curve="one_cycle", epochs=12, warmup=2),
    dict(curve="one_cycle", epochs=1, warmup=0),
]
RATE = 0.1


def start(shape, offset):
    """These three formulas stand in optimizer_test.cpp too."""
    count = torch.Size(shape).numel()
    return (((torch.arange(count) * 5 + offset) % 13 - 6) / 8).float().view(shape)


def gradient(step, values):
    i = torch.arange(values.numel()).view(values.shape)
    return values * ((i % 5 + 1) / 4).float() + ((i * 7 + step * 13) % 17 - 8).float() / 8


def rate(step):
    return 0.05 * (1 - step / 40)


def run(method, weight_decay, clip=0.0, **settings):
    parameters = {name: start(shape, number).requires_grad_() for number, (name, shape) in enumerate(PARAMETERS.items())}
    groups = [dict(params=[p for n, p in parameters.items() if (n == "blocks.0.weight") == decays], weight_decay=weight_decay if decays else 0.0) for decays in (True, False)]
    optimizer = {"sgd": torch.optim.SGD, "adamw": torch.optim.AdamW}[method](groups, lr=RATE, **settings)
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = rate(step)
        for parameter in parameters.values():
            parameter.grad = gradient(step, parameter.detach())
        if clip:
            torch.nn.utils.clip_grad_norm_(parameters.values(), clip)
        optimizer.step()
    return torch.cat([p.detach().flatten() for p in parameters.values()]).tolist()


def rates(curve, epochs, warmup, step_epochs=(), gamma=0.1):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=RATE)
    warm, total = warmup * STEPS_PER_EPOCH, epochs * STEPS_PER_EPOCH
    milestones = [int(e * STEPS_PER_EPOCH) - warm for e in (step_epochs or (epochs / 2, epochs * 3 / 4))]
    if curve == "one_cycle":
        schedule = lr_scheduler.OneCycleLR(optimizer, max_lr=RATE, total_steps=total - warm, cycle_momentum=False)
    else:
        schedule = {"constant": lambda: lr_scheduler.ConstantLR(optimizer, factor=1.0),
                    "cosine": lambda: lr_scheduler.CosineAnnealingLR(optimizer, T_max=total - warm),
                    "step": lambda: lr_scheduler.MultiStepLR(optimizer, milestones, gamma)}[curve]()
    # LinearLR by hand: SequentialLR would start OneCycleLR from the wrong rate.
    values = [optimizer.param_groups[0]["lr"] * (s + 1) / warm for s in range(warm)]
    for _ in range(total - warm):
        values.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step() if len(values) < total else None
    return values


def braces(values):
    return "{" + ", ".join(repr(v) for v in values) + "}"


def main():
    print("// Written by make_optimizer_golden.py with torch %s; don't edit." % torch.__version__.split("+")[0])
    print("#pragma once\n\n#include <vector>\n\n#include \"train/optimizer.hpp\"\n#include \"train/schedule.hpp\"\n\nnamespace edgelab::train::golden {\n")
    print("// values: of all parameters, one after the other, after the last step.")
    print("struct OptimizerCase {\n  OptimizerSettings settings;\n  std::vector<double> values;\n};\n")
    print("inline const std::vector<OptimizerCase>& optimizer_cases() {\n  static const std::vector<OptimizerCase> cases = {")
    for case in OPTIMIZERS:
        fields = [".method = OptimizerSettings::Method::%s" % case["method"], ".weight_decay = %r" % case["weight_decay"]]
        fields += [".momentum = %r" % case["momentum"]] if "momentum" in case else []
        fields += [".nesterov = true"] if case.get("nesterov") else []
        fields += [".clip_norm = %r" % case["clip"]] if "clip" in case else []
        print("      {{%s},\n       %s}," % (", ".join(fields), braces([float("%.9g" % v) for v in run(**case)])))
    print("  };\n  return cases;\n}\n")
    print("// rates: of every step.")
    print("struct ScheduleCase {\n  ScheduleSettings::Curve curve;\n  double learning_rate, warmup_epochs;\n  std::vector<double> step_epochs;\n  double gamma;\n  std::int64_t epochs, steps_per_epoch;\n  std::vector<double> rates;\n};\n")
    print("inline const std::vector<ScheduleCase>& schedule_cases() {\n  static const std::vector<ScheduleCase> cases = {")
    for case in SCHEDULES:
        print("      {ScheduleSettings::Curve::%s, %r, %r, %s, %r, %d, %d,\n       %s}," % (
            case["curve"], RATE, float(case["warmup"]), braces(case.get("step_epochs", [])), case.get("gamma", 0.1), case["epochs"], STEPS_PER_EPOCH,
            braces([float("%.9g" % v) for v in rates(**case)])))
    print("  };\n  return cases;\n}\n\n}  // namespace edgelab::train::golden")


if __name__ == "__main__":
    main()
