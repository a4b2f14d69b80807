#!/usr/bin/env python3
"""Writes augment_golden.hpp: what torchvision's RandAugment does to computed images, for rand_augment_test.cpp.

Run with a Python that has torch and torchvision: python3 make_augment_golden.py > augment_golden.hpp
"""
import re

import torch
import torchvision
from torchvision.transforms import InterpolationMode, RandAugment
from torchvision.transforms.autoaugment import _apply_op

from make_golden import image

SIZES = [(32, 32), (20, 33), (2, 3)]
LEVELS = [9, 14]  # at which no point of a sheared image lies halfway between two pixels
VALUES = 24  # kept of each case, evenly spread


def snake(name):
    name = "autocontrast" if name == "AutoContrast" else name
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def checksum(pixels):
    """Of all bytes; the same formula stands in rand_augment_test.cpp."""
    total = 0
    for i, byte in enumerate(pixels):
        total += byte * (i % 251 + 1)
    return total


def main():
    print("// Written by make_augment_golden.py with torch %s and torchvision %s; don't edit." % (torch.__version__.split("+")[0], torchvision.__version__.split("+")[0]))
    print("#pragma once\n\n#include <cstdint>\n#include <string_view>\n#include <vector>\n")
    print("namespace edgelab::data::golden {\n")
    print("// values[i] is byte i * stride of the output [3, height, width]. dim: the image's bytes are halved, plus 40.\n"
          "// level: magnitude is that level's, or its negative.")
    print("struct ImageOpCase {\n  std::string_view op;\n  int height, width, level;\n  double magnitude;\n  bool dim;\n  std::int64_t checksum;\n  int stride;\n  std::vector<int> values;\n};\n")
    print("inline const std::vector<ImageOpCase>& image_op_cases() {\n  static const std::vector<ImageOpCase> cases = {")
    for height, width in SIZES:
        for level in LEVELS:
            for name, (magnitudes, signed) in RandAugment()._augmentation_space(31, (height, width)).items():
                for sign in (1, -1) if signed else (1,):
                    magnitude = sign * float(magnitudes[level].item()) if magnitudes.ndim > 0 else 0.0
                    for dim in (False, True):
                        pixels = image(height, width)
                        if dim:
                            pixels = pixels // 2 + 40
                        out = _apply_op(pixels, name, magnitude, InterpolationMode.NEAREST, None).flatten().tolist()
                        stride = max(1, len(out) // VALUES) | 1
                        print('      {"%s", %d, %d, %d, %r, %s, %d, %d, {%s}},' % (snake(name), height, width, level, magnitude, str(dim).lower(), checksum(out), stride, ", ".join(map(str, out[::stride]))))
    print("  };\n  return cases;\n}\n\n}  // namespace edgelab::data::golden")


if __name__ == "__main__":
    main()
