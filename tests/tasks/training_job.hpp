#pragma once

#include "tasks/job_spec.hpp"

namespace edgelab::tasks::example {

// A vision transformer that learns something in a second.
inline JobSpec small_training() {
  JobSpec spec;
  spec.id = "job";
  spec.task = Task::train;
  spec.data.dataset = "shapes10";
  spec.data.split = Split::train;
  spec.data.limit = 192;
  spec.model.arch = "vit_tiny_patch16_224";
  spec.model.img_size = 16;
  spec.model.patch_size = 4;
  spec.model.depth = 2;
  spec.model.embed_dim = 24;
  spec.model.num_heads = 3;
  spec.batch = 16;
  spec.seed = 3;
  spec.resolved = "a training job";
  spec.train.emplace();
  spec.train->epochs = 3;
  spec.train->batch = 24;
  spec.train->optimizer.lr = 2e-3;
  spec.train->validate.emplace();
  spec.train->validate->dataset = "shapes10";
  spec.train->validate->split = Split::test;
  spec.train->validate->limit = 50;
  return spec;
}

inline JobSpec small_convolutional_training() {
  JobSpec spec = small_training();
  spec.model = {};
  spec.model.arch = "mobilenet_v2";
  spec.model.width_mult = 0.1;
  spec.model.input_size = 32;
  return spec;
}

}  // namespace edgelab::tasks::example
