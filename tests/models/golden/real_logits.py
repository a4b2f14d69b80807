"""Logits of torchvision's MobileNetV2 (10 classes, 224 px) for every image of a CIFAR-10 batch file.

    real_logits.py WEIGHTS.safetensors test_batch.bin OUT.safetensors

OUT holds "logits" [N, 10] fp32 and "labels" [N] int64; the count of right answers is printed.
"""
import sys

import numpy as np
import torch
import torchvision
from safetensors.torch import load_file, save_file
from torchvision.transforms.functional import resize

weights, images, out = sys.argv[1:]
model = torchvision.models.mobilenet_v2(num_classes=10)
model.load_state_dict(load_file(weights), strict=False)
model.eval()
records = np.fromfile(images, np.uint8).reshape(-1, 3073)
mean = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
std = torch.tensor([0.229, 0.224, 0.225])[:, None, None]
logits = []
with torch.inference_mode():
    for first in range(0, len(records), 16):
        x = torch.from_numpy(records[first : first + 16, 1:].reshape(-1, 3, 32, 32).copy()).float() / 255
        x = resize(x, [224, 224], antialias=True)
        logits.append(model((x - mean) / std))
logits = torch.cat(logits)
labels = torch.from_numpy(records[:, 0].astype(np.int64))
save_file({"logits": logits.contiguous(), "labels": labels}, out)
print(f"{int((logits.argmax(1) == labels).sum())}/{len(labels)} right, std {float(logits.std()):.4f}")
