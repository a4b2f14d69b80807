#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>

#include "results/sample_run.hpp"

// A run as large as real ones get: what a report must still hold.
namespace edgelab::test {

// Members of a sweep over keys with long names, accuracies and latencies close to one another; among them every scenario, and every
// kind of compression. Each tenth has `layers` layers, in two types each, and telemetry over a while; a browser takes long enough for
// those.
inline results::RunRecord sweep_run(int jobs = 25, int layers = 160) {
  using namespace results;
  static constexpr const char* kTypes[] = {"fp32", "int8", "bf16"};
  static constexpr const char* kTasks[] = {"infer", "quantize", "prune", "train", "bench"};
  static constexpr const char* kScenarios[] = {"", "single_stream", "multi_stream", "server", "offline"};
  RunRecord run = sample_run();
  run.jobs.clear();
  for (int i = 0; i < jobs; ++i) {
    JobRecord job = sample_job(fmt::format("compress[prune.granularity=unstructured,prune.sparsity={:.2f},quantize.calibration.method=percentile,precision={}]", 0.5 + 0.02 * i, kTypes[i % 3]));
    job.task = kTasks[i % 5];
    job.layers.clear();
    for (int k = 0; k < (i % 10 == 2 ? layers : 8); ++k) {
      job.layers.push_back({fmt::format("vit.encoder.layers.encoder_layer_{}.self_attention.out_proj.fused_with_residual_{}", k / 6, k), k % 6 == 0 ? "attention" : "linear", kTypes[i % 3],
                            k % 7 == 0 ? "fp32" : kTypes[i % 3], "tile_gemm avx512_core_amx, blocked 64 x 64", k % 7 == 0 ? "onednn: no int8 attention for 197 tokens; tile_gemm: the mask is not causal" : "",
                            90'000 + 900 * ((k * 37) % 100), 40'000 + 5'000 * k, 0.0, 2'000'000 + 800'000 * ((k * 13) % 50), k % 7 == 0 ? 9e10 : 3e11});
    }
    job.summary.top1 = 0.9 + 0.001 * ((i * 7) % jobs);
    job.summary.latency_p50_ns = 4'000'000 + 20'000 * ((i * 11) % jobs);
    job.summary.energy_joules = 20.0 + i;
    if (i % 5 == 0) job.scenario = {};
    else job.scenario.kind = kScenarios[i % 5];
    if (i % 5 != 3) job.rates.clear();
    job.telemetry.clear();
    for (int t = 0; t < (i % 10 == 2 ? 40 : 1); ++t) job.telemetry.push_back({t * 2'000'000'000LL, t % 2, 1.5e9 + 1e7 * (t % 8), 60.0 + 0.4 * t, 3.0 + 0.1 * (t % 5), t > 20 && t < 30 ? 4 : 0, 88'000'000});
    job.sensitivity.assign(1, {"none", 0.0, 0.945, 0.21});
    for (int k = 0; k < 30; ++k) job.sensitivity.push_back({fmt::format("encoder_layer_{}.mlp.0", k), job.task == "quantize" ? 0.0 : 0.5, 0.94 - 0.001 * k, 0.22 + 0.002 * k});
    job.trials.clear();
    for (int k = 0; k < 20; ++k) job.trials.push_back({k, fmt::format("calibration percentile, scheme affine, smooth {:.2f}, last in floats", 0.05 * k), 0.92 + 0.001 * ((k * 7) % 20), 0.3, 2'000'000 + k, 1'000'000'000, k == 17});
    job.forecast.predicted_latency_ns = 4e6 * (1 + 0.1 * i);
    job.forecast.measured_latency_ns = 4.2e6 * (1 + 0.09 * i);
    run.jobs.push_back(std::move(job));
  }
  return run;
}

}  // namespace edgelab::test
