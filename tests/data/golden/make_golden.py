#!/usr/bin/env python3
"""Writes resize_golden.hpp: torchvision's preprocessing of a computed image, for preprocess_test.cpp.

Run with a Python that has torch and torchvision: python3 make_golden.py > resize_golden.hpp
"""
import torch
import torchvision
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as F

# Height, width, output size: up, down, the same, both at once, far down, the smallest.
CASES = [(32, 32, 224), (32, 32, 48), (32, 32, 32), (64, 64, 24), (100, 60, 32), (37, 53, 41),
         (5, 9, 16), (224, 224, 32), (20, 70, 33), (1, 1, 8), (2, 3, 7)]
VALUES = 48  # kept of each case, evenly spread


def image(height, width):
    """The same formula stands in preprocess_test.cpp."""
    c = torch.arange(3).view(3, 1, 1)
    y = torch.arange(height).view(1, height, 1)
    x = torch.arange(width).view(1, 1, width)
    return ((x * x * 7 + y * 13 + x * y * 5 + y * y * y + c * 71) % 256).to(torch.uint8)


def main():
    print("// Written by make_golden.py with torch %s and torchvision %s; don't edit." % (torch.__version__.split("+")[0], torchvision.__version__.split("+")[0]))
    print("#pragma once\n\n#include <vector>\n\n#include \"data/resize.hpp\"\n")
    print("namespace edgelab::data::golden {\n")
    print("// values[i] is element i * stride of the output [3, size, size].")
    print("struct ResizeCase {\n  int height, width, size;\n  Interpolation interpolation;\n  int stride;\n  std::vector<float> values;\n};\n")
    print("inline const std::vector<ResizeCase>& resize_cases() {\n  static const std::vector<ResizeCase> cases = {")
    for height, width, size in CASES:
        for mode in ("bilinear", "bicubic"):
            pixels = image(height, width).float() / 255
            pixels = F.resize(pixels, [size, size], InterpolationMode(mode), antialias=True)
            pixels = F.normalize(pixels, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]).flatten()
            stride = max(1, pixels.numel() // VALUES)
            if stride % size == 0:  # not one column only
                stride -= 1
            kept = pixels[::stride]
            text = ", ".join("%.5ff" % value for value in kept.tolist())
            print("      {%d, %d, %d, Interpolation::%s, %d,\n       {%s}}," % (height, width, size, mode, stride, text))
    print("  };\n  return cases;\n}\n\n}  // namespace edgelab::data::golden")


if __name__ == "__main__":
    main()
