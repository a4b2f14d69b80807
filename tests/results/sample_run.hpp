#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

#include "core/random.hpp"
#include "results/job_record.hpp"

// Records with every member set to something of its own, so that a member that gets lost or swapped shows.
namespace edgelab::test {

inline results::JobRecord sample_job(const std::string& id, std::int64_t calls = 64) {
  using namespace results;
  JobRecord job;
  job.id = id;
  job.task = "infer";
  job.attempts = 2;
  job.config = "id: " + id + "\nranks: 2\n# größer\n";
  job.content_key = "5f2c";
  job.started_wall_ns = 1'795'000'000'000'000'001;
  job.ended_wall_ns = 1'795'000'063'000'000'002;
  job.model = {"mobilenet_v2", 3'504'872, 3'500'000, 14'100'000, 600'000'000, "weights.safetensors, sha256 ab12"};
  for (int i = 0; i < 20; ++i) {
    const std::string number = std::to_string(i);
    job.layers.push_back({"features." + number + ".conv", i % 3 == 0 ? "conv2d" : "depthwise", "int8",
                          i % 4 == 0 ? "fp32" : "int8", "onednn:brgconv",
                          i % 4 == 0 ? "onednn: int8 with groups is not supported" : "", 100'000 + 7'000 * i, 4096 * i,
                          0.25 / (i + 1), 1'000'000 * i, 4e10});
  }
  job.repeats = 2;
  job.calls = calls;
  CounterRandom random(stream_key(7, id));
  for (std::int64_t i = 0; i < 2 * calls; ++i) {
    job.latency_ns.push_back(4'000'000 + static_cast<std::int64_t>(2e5 * std::abs(random.normal())) +
                             (i % 97 == 96 ? 3'000'000 : 0));
  }
  job.classes = 10;
  job.keep_logits = true;
  for (std::int64_t i = 0; i < calls; ++i) {
    job.predictions.push_back(static_cast<std::int32_t>(i % 10));
    job.labels.push_back(static_cast<std::int32_t>(i % 7));
    for (int k = 0; k < 10; ++k) job.logits.push_back(random.normal() * 1e-3f);
  }
  for (int k = 0; k < 10; ++k) job.class_names.push_back({"class " + std::to_string(k)});
  job.mistakes.push_back({8, 108, 1, 8, 0.96, 0.01, 2, 3, 3, {255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 8, 7, 6, 5, 4, 3, 2, 1}});
  job.logits[0] = std::numeric_limits<float>::infinity();
  Summary& summary = job.summary;
  summary.samples = calls;
  summary.top1 = 0.9453125;
  summary.top5 = 0.99;
  summary.latency_mean_ns = 4'123'456.789;
  summary.latency_p50_ns = 4'100'000;
  summary.latency_p90_ns = 4'400'000;
  summary.latency_p99_ns = 4'900'000;
  summary.throughput_samples_per_second = 241.7;
  summary.time_to_first_inference_ns = 180'000'000;
  summary.peak_rss_bytes = 91'000'000;
  summary.energy_above_idle_joules = 15.5;
  summary.energy_per_sample_joules = 0.0625;
  summary.throttling = "pi-1: throttled in 12 of 40 readings";
  summary.model_bytes = 13'990'000;  // loss and energy_joules stay unknown
  job.ranks.push_back({0, 1, "pi-0", "stage 0: layers 0 to 12", 2, "cuda 0: a device", "", 11, 12, 13'000'000, 14'000, 15'000, 16'000'000,
                       17'000, 18'000, 19'000'000, 11.5e9});
  job.ranks.push_back({1, 0, "pi-1", "stage 1: layers 13 to 20", 3, "cpu", "no CUDA device", 21, 22, 23'000'000, 24'000, 25'000, 26'000'000,
                       27'000, 28'000, 29'000'000, 12.5e9});
  job.forecast = {"pipeline of 2", 4'000'000.5, 4'100'000.25, 500.5, 480.25, 40'960, 41'000};
  for (RankRow& row : job.ranks) {
    row.spans_began_wall_ns = job.started_wall_ns;
    row.span_kind = {0, 1, 3, 2};
    row.span_microbatch = {0, 0, 1, 1};
    for (const std::int64_t at : {0, 900'000, 1'000'000, 1'500'000}) {
      row.span_start_ns.push_back(row.rank * 1'000'000 + at);
      row.span_end_ns.push_back(row.span_start_ns.back() + 100'000 + row.rank);
    }
  }
  summary.validity = "INVALID";
  summary.invalid_reason = "too few queries: 128 of 662";
  job.scenario = {"server", "queries_per_second", 312.5, 128, 3, 4'100'000'005, 99.0, 4'950'000, 15'000'000};
  job.rates.push_back({500.5, 77, 31'000'000, false});
  job.rates.push_back({312.5, 128, 4'900'000, true});
  job.telemetry.push_back({1'000'000'000, 0, 1.5e9, 61.5, 3.25, 0x50004, 88'000'000});
  job.energy.push_back({0, "pi-0", "pmic", 60.5, 2.25, 20'000'000'001, 201, 41'000'000, 100'000'000});
  job.training.push_back({1, 2.25, 0.125, 0.05, 812.5});
  job.training.push_back({2, 1.75, 0.375, 0.025, 815.5});
  job.trials.push_back({0, "calibration minmax, scheme affine", 0.94, 0.22, 2358272, 1234567, false});
  job.trials.push_back({1, "calibration entropy, scheme symmetric", 0.95, 0.21, 2358273, 1234568, true});
  job.sensitivity.push_back({"none", 0.0, 0.945, 0.21});
  job.sensitivity.push_back({"features.1.conv.0.0", 0.5, 0.875, 0.375});
  job.sensitivity.push_back({"features.1.conv.0.0", 0.9, 0.25, 2.5});
  job.expectations.push_back({"outputs_match: {job: serial, rtol: 0.0001}", 3.2e-7, 1e-4, true, ""});
  job.expectations.push_back({"speedup_over: {job: serial, at_least: 2}", 1.41, 2.0, false, ""});
  job.expectations.push_back({"speedup_over: {job: other, at_least: 2}", 1.41, 2.0, true,
                              "not judged: the ranks compared share one host's cores"});
  return job;
}

inline results::RunRecord sample_run() {
  using namespace results;
  RunRecord run;
  run.provenance = {"0.1.0",
                    "0123456789abcdef",
                    "GNU 12.2.0 Release -O2",
                    "edgelab run jobs/lab1.yaml --out r.h5",
                    "jobs/lab1.yaml",
                    "name: lab1\njobs: []\n",
                    true,
                    {{"oneDNN", "3.7.2"}, {"HDF5", "1.10.8"}},
                    1'795'000'000'000'000'000,
                    1'795'000'063'000'000'000,
                    2,
                    2,
                    2,
                    true};
  run.hosts.push_back({"pi-0", "Cortex-A76", "asimd asimddp", "6.6.20", "Debian GNU/Linux 12", "ondemand", 4, 1,
                       8'000'000'000, "eth0", 61.5, 0, 1'000'000'000, "0.4 cores, links 1gbit", 2.25});
  run.hosts.push_back(
      {"pi-1", "Cortex-A72", "asimd", "6.6.20", "Debian GNU/Linux 12", "", 4, 1, 4'000'000'000, "eth0", {}, {}, {}, {}, {}});
  run.links = {2, {0, 1000.5, 1001.5, 0}, {0, 1.17e8, 1.18e8, 0}};
  run.jobs.push_back(sample_job("serial"));
  run.jobs.push_back(sample_job("grid[precision=int8,attention=flash]"));
  JobRecord failed;
  failed.id = "pruned";
  failed.task = "evaluate";
  failed.status = Status::failed;
  failed.reason =
      "weights.safetensors: error: tensor 'head.weight' is missing (expected [10, 1280]); nearest name "
      "'classifier.1.weight'";
  failed.config = "id: pruned\n";
  run.jobs.push_back(failed);
  JobRecord skipped;
  skipped.id = "after/pruned";
  skipped.task = "bench";
  skipped.status = Status::skipped;
  skipped.attempts = 0;
  skipped.reason = "needs 'pruned', which failed";
  skipped.config = "id: after/pruned\n";
  run.jobs.push_back(skipped);
  return run;
}

}  // namespace edgelab::test
