#!/bin/sh
# Reference answers too big to keep in the repository: what tests/models/golden_test.cpp compares with when EDGELAB_GOLDEN
# names the folder made here.
#
#   make_big_golden.sh GOLDEN_PY OUT [MOBILENET_WEIGHTS CIFAR_TEST_BATCH]
#
# GOLDEN_PY is a script that takes --arch --classes --batch --seed --resize --arg --weights --images --out and writes
# weights, inputs and outputs.safetensors with torchvision and timm. PYTHON names an interpreter that has them.
set -eu
golden=$1
out=$2
python=${PYTHON:-python3}

# spec FOLDER ARCH CLASSES [KEY=VALUE…] writes what edgelab has to build.
spec() {
  folder=$1 arch=$2 classes=$3
  shift 3
  {
    printf '{"arch": "%s", "classes": %s' "$arch" "$classes"
    for argument in "$@"; do printf ', "%s": %s' "${argument%%=*}" "${argument#*=}"; done
    printf '}\n'
  } > "$folder/spec.json"
}

# case NAME ARCH CLASSES RESIZE [KEY=VALUE…]: batches 8, 3 and 1 of one set of weights, with different images.
golden_case() {
  name=$1 arch=$2 classes=$3 resize=$4
  shift 4
  arguments=
  for argument in "$@"; do arguments="$arguments --arg $argument"; done
  weights=
  for batch in 8 3 1; do
    folder=$out/${name}_b$batch
    # shellcheck disable=SC2086  # the lists are meant to split
    "$python" "$golden" --arch "$arch" --classes "$classes" --batch $batch --seed $((7 + batch)) --resize "$resize" $arguments $weights --out "$folder"
    spec "$folder" "$arch" "$classes" "$@"
    if [ -z "$weights" ]; then
      first=$folder/weights.safetensors
      weights="--weights $first"
    else
      ln -f "$first" "$folder/weights.safetensors"
    fi
  done
}

mkdir -p "$out"
golden_case mobilenet_v2 mobilenet_v2 1000 224
golden_case deit_tiny deit_tiny_patch16_224 1000 224
golden_case deit_small deit_small_patch16_224 100 224
golden_case deit3_small deit3_small_patch16_224 100 224
golden_case deit_tiny_distilled deit_tiny_distilled_patch16_224 100 224
golden_case vit_tiny_32 vit_tiny_patch16_224 10 32 img_size=32 patch_size=4

if [ $# -ge 4 ]; then
  for batch in 8 3 1; do
    folder=$out/mobilenet_v2_real_b$batch
    "$python" "$golden" --arch mobilenet_v2 --classes 10 --batch $batch --weights "$3" --images "$4" --resize 224 --out "$folder"
    spec "$folder" mobilenet_v2 10
  done
  "$python" "$(dirname "$0")/real_logits.py" "$3" "$4" "$out/mobilenet_v2_real512.safetensors"
fi
