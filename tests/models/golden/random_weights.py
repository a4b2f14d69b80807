"""edgelab's random numbers and random weights once more, in numpy, so that PyTorch can be given the weights that edgelab makes
from a seed: core/random.hpp (SplitMix64 over a counter, Box-Muller) and models/random_weights.hpp."""
import math

import numpy as np

GOLDEN_GAMMA = np.uint64(0x9E3779B97F4A7C15)


def mix(bits):
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


def stream_key(seed, name):
    value = 0xCBF29CE484222325 ^ seed
    for letter in name.encode():
        value = ((value ^ letter) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return value


def bits(seed, name, count):
    with np.errstate(over="ignore"):
        key = mix(np.array([stream_key(seed, name)], np.uint64) + GOLDEN_GAMMA)
        return mix(key + GOLDEN_GAMMA * np.arange(1, count + 1, dtype=np.uint64))


def uniform(seed, name, count):
    return (bits(seed, name, count) >> np.uint64(40)).astype(np.float32) * np.float32(2.0**-24)


def normal(seed, name, count):
    pairs = (bits(seed, name, 2 * count) >> np.uint64(11)).astype(np.float64).reshape(-1, 2)
    radius = (pairs[:, 0] + 1.0) * 2.0**-53
    return (np.sqrt(-2.0 * np.log(radius)) * np.cos(2.0 * np.pi * (pairs[:, 1] * 2.0**-53))).astype(np.float32)


def random_weight(seed, name, shape):
    count = int(np.prod(shape))
    last = name.rsplit(".", 1)[-1]
    centre, spread, draw = 0.0, 0.1, normal
    if last == "running_var":
        centre, spread, draw = 1.0, 0.5, uniform
    elif last in ("bias", "running_mean"):
        pass
    elif last in ("pos_embed", "cls_token", "dist_token"):
        spread = 0.2
    elif len(shape) < 2:
        centre = 1.0
    else:
        gain = 2.0 if len(shape) == 4 else 1.0
        spread = math.sqrt(gain / (count // shape[0]))
    value = centre + np.float64(np.float32(spread)) * draw(seed, name, count).astype(np.float64)
    return value.astype(np.float32).reshape(shape)
