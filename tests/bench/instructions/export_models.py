#!/usr/bin/env python3
"""Writes the models that beside_xnnpack.py runs, as ExecuTorch programs for XNNPACK: MobileNetV2 of torchvision and DeiT-Ti of timm.

usage: export_models.py FOLDER        (needs executorch, torchvision and timm)

int8 is with a scale a channel for the weights; activations in int8 with scales that were calibrated, and for DeiT-Ti also with
scales that are found as it runs ("dynamic"), which is what XNNPACK's users take for transformers.
"""
import pathlib
import sys

import timm
import torch
import torchvision
from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
from executorch.backends.xnnpack.quantizer.xnnpack_quantizer import XNNPACKQuantizer, get_symmetric_quantization_config
from executorch.exir import to_edge_transform_and_lower
from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e


def image():
    return torch.randn(1, 3, 224, 224)


def write(model, file):
    program = to_edge_transform_and_lower(torch.export.export(model, (image(),)), partitioner=[XnnpackPartitioner()]).to_executorch()
    file.write_bytes(program.buffer)
    print(file, flush=True)


def quantized(model, dynamic):
    quantizer = XNNPACKQuantizer().set_global(get_symmetric_quantization_config(is_per_channel=True, is_dynamic=dynamic))
    observed = prepare_pt2e(torch.export.export(model, (image(),)).module(), quantizer)
    for _ in range(4):
        observed(image())
    return convert_pt2e(observed)


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    with torch.no_grad():
        mobilenet = torchvision.models.mobilenet_v2().eval()
        write(mobilenet, folder / "mobilenet_v2-fp32.pte")
        write(quantized(mobilenet, False), folder / "mobilenet_v2-int8.pte")
        deit = timm.create_model("deit_tiny_patch16_224").eval()
        write(deit, folder / "deit_tiny_patch16_224-fp32.pte")
        write(quantized(deit, False), folder / "deit_tiny_patch16_224-int8.pte")
        write(quantized(deit, True), folder / "deit_tiny_patch16_224-int8-dynamic.pte")


if __name__ == "__main__":
    main()
