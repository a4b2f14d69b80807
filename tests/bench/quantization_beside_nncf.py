#!/usr/bin/env python3
"""What rounding to integers costs a vision transformer, here and by NNCF: signal over noise of the logits, at equal calibration.

    python3 tests/bench/quantization_beside_nncf.py --edgelab build/edgelab --model deit_tiny_patch16_224

needs an interpreter that has torch, torchvision, timm, openvino, nncf, safetensors, h5py, and CIFAR-10 in EDGELAB_DATA. Weights are drawn (the
same for both), so that no layer is idle: the variance of each is one over its inputs. Both sides calibrate on the same training
images and answer the same test images; each side's noise is measured against its own fp32 logits.
"""
import argparse
import os
import pathlib
import subprocess
import tempfile

import h5py
import nncf
import numpy
import openvino
import safetensors.torch
import timm
import torch
import torchvision.transforms.functional as transform

JOB = """
name: beside-nncf
defaults:
  data: {{dataset: cifar10, resize: 224}}
  model: {{arch: {model}, classes: 10, weights: {weights}}}
  batch: 8
  keep_logits: true
jobs:
  - {{id: floats, task: evaluate, data: {{split: test, limit: {images}}}}}
  - id: integers
    task: quantize
    matrix: {{quantize.smooth: [0.0, 0.5]}}
    quantize:
      calibration: {{method: minmax, data: {{dataset: cifar10, split: train, resize: 224, limit: {calibration}}}}}
      scheme: affine
      validate: {{split: test, limit: {images}}}
"""


def drawn_model(name):
    torch.manual_seed(1)
    model = timm.create_model(name, num_classes=10).eval()
    with torch.no_grad():
        for parameter_name, parameter in model.named_parameters():
            if parameter.dim() >= 2 and parameter_name.endswith("weight"):
                parameter.normal_(0, parameter[0].numel() ** -0.5)
    return model


def images(files, count, model):
    """[count, 3, 224, 224], prepared as timm says for the model."""
    config = timm.data.resolve_model_data_config(model)
    raw = numpy.concatenate([numpy.fromfile(file, numpy.uint8) for file in files]).reshape(-1, 3073)[:count, 1:]
    pixels = torch.from_numpy(raw.reshape(-1, 3, 32, 32).copy())
    mode = transform.InterpolationMode(config["interpolation"])
    large = transform.resize(pixels, [224, 224], mode, antialias=True).float() / 255
    return transform.normalize(large, config["mean"], config["std"]).numpy()


def signal_over_noise(got, want):
    return 10 * numpy.log10(numpy.square(want).sum() / numpy.square(got - want).sum())


def by_nncf(model, calibration, test, folder):
    path = folder / "model.onnx"
    torch.onnx.export(model, (torch.zeros(1, 3, 224, 224),), str(path), dynamo=False, opset_version=17)
    floats = openvino.Core().read_model(path)
    integers = nncf.quantize(floats, nncf.Dataset([image[None] for image in calibration]), subset_size=len(calibration),
                             model_type=nncf.ModelType.TRANSFORMER)

    def answers(graph):
        compiled = openvino.compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        return numpy.concatenate([compiled(image[None])[0] for image in test])
    return signal_over_noise(answers(integers), answers(floats))


def by_edgelab(options, weights, folder):
    job = folder / "job.yaml"
    job.write_text(JOB.format(model=options.model, weights=weights, images=options.images, calibration=options.calibration))
    results = folder / "results.h5"
    subprocess.run([options.edgelab, "run", job, "--out", results], check=True, stdout=subprocess.DEVNULL)
    with h5py.File(results) as file:
        logits = {file[f"jobs/{name}"].attrs.get("id", name): file[f"jobs/{name}/logits"][()] for name in file["jobs"]}
    floats = next(value for name, value in logits.items() if name.startswith("floats"))
    return {name: signal_over_noise(value, floats) for name, value in logits.items() if not name.startswith("floats")}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--edgelab", default="build/edgelab")
    parser.add_argument("--model", default="deit_tiny_patch16_224")
    parser.add_argument("--images", type=int, default=128)
    parser.add_argument("--calibration", type=int, default=256)
    options = parser.parse_args()
    data = pathlib.Path(os.environ["EDGELAB_DATA"]) / "cifar-10-batches-bin"
    model = drawn_model(options.model)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        weights = folder / "weights.safetensors"
        safetensors.torch.save_file({key: value.contiguous() for key, value in model.state_dict().items()}, weights)
        for settings, decibel in by_edgelab(options, weights, folder).items():
            print(f"edgelab {settings}: {decibel:.1f} dB")
        train = images(sorted(data.glob("data_batch_*.bin")), options.calibration, model)
        test = images([data / "test_batch.bin"], options.images, model)
        print(f"NNCF {nncf.__version__}: {by_nncf(model, train, test, folder):.1f} dB")


if __name__ == "__main__":
    main()
