#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/error.hpp"

namespace edgelab::tasks {

// What a person asked of one job, after includes, defaults, overrides and sweeps. Plain data: `batch` fills it from YAML,
// tasks read it. Every default of the job-file reference (docs/jobs.md) stands here and nowhere else.

enum class Task { infer, evaluate, train, prune, quantize, bench };
enum class Precision { fp32, tf32, bf16, int8, mixed };
enum class Device { cpu, cuda };
enum class Attention { automatic, naive, flash };
enum class GraphMode { eager, fused };  // eager: one kernel an op, as the model is written; fused: after the passes
enum class Split { train, test };
enum class Interpolation { bilinear, bicubic };
enum class Strategy { none, pipeline, tensor, sequence, data, automatic };
enum class Wire { fp32, bf16, fp16, int8 };
enum class Scenario { single_stream, multi_stream, server, offline };  // as MLPerf's LoadGen names them
enum class Optimizer { sgd, adamw };
enum class LearningRateSchedule { constant, cosine, step, one_cycle };
enum class BatchNormMode { train, frozen };
enum class Trainable { all, head, last, lora };
enum class PruneMethod { magnitude, taylor, bn_scale };
enum class Granularity { unstructured, block1x4, block1x16, n_m, channel };
enum class PruneSchedule { oneshot, gradual, iterative };
enum class CalibrationMethod { minmax, percentile, mse, kl };
enum class Scheme { symmetric, affine };
enum class WeightBits { int8, int4 };
enum class SearchObjective { top1, loss, size };  // size: the smallest file within the accuracy budget
enum class Placement { pack, spread };  // a job's ranks on as few hosts as can be, or on as many

struct DataSpec {
  std::string dataset;  // cifar10 | cifar100 | images | shapes10; empty: no data
  std::string path;     // folder that holds the files, absolute; empty: search the usual places
  std::optional<Split> split;  // set for every job: test, or train where the task is that
  std::optional<std::int64_t> limit;
  std::optional<std::int64_t> per_class;
  bool shuffle = false;
  std::optional<int> resize;  // pixels; empty: the model's input size
  Interpolation interpolation = Interpolation::bilinear;
  bool operator==(const DataSpec&) const = default;
};

// Exactly one of: random (neither path nor job set), a file, or what another job made.
struct WeightsSource {
  std::string path;  // absolute
  std::string job;
  bool random() const { return path.empty() && job.empty(); }
  bool operator==(const WeightsSource&) const = default;
};

struct ModelSpec {
  std::string arch;  // torchvision or timm name
  WeightsSource weights;
  std::optional<int> classes;     // empty: the data set's, or 1000 without data
  std::optional<int> input_size;  // pixels; empty: the architecture's
  std::optional<int> img_size, patch_size, depth, embed_dim, num_heads;  // ViT family
  std::optional<double> width_mult;                                     // MobileNetV2
  bool operator==(const ModelSpec&) const = default;
};

struct MeasureSpec {
  int warmup = 1;   // untimed passes before the first repeat
  int repeats = 5;  // timed passes over the data
  bool operator==(const MeasureSpec&) const = default;
};

struct ScenarioSpec {
  Scenario kind{};
  std::optional<std::int64_t> latency_bound_ns;  // `server`, which must have it
  std::optional<double> rate;                    // `server`: queries a second; empty: the highest is searched
  double tolerance = 0.05;                       // of that search
  int samples_per_query = 8;                     // `multi_stream`
  std::optional<std::int64_t> min_queries;       // `offline`: samples; empty: what the percentile needs
  std::int64_t min_duration_ns = 5'000'000'000;
  std::int64_t max_duration_ns = 600'000'000'000;
  bool operator==(const ScenarioSpec&) const = default;
};

struct ParallelSpec {
  Strategy strategy = Strategy::none;
  int microbatch = 1;
  std::vector<int> partition;  // layer counts a stage; empty: automatic
  Wire wire = Wire::fp32;
  int pipeline = 1, tensor = 1, sequence = 1, data = 1;  // ways of a hybrid; their product is `ranks`
  bool operator==(const ParallelSpec&) const = default;
};

struct Expectation {
  enum class Kind {
    outputs_match, speedup_over, latency_speedup_over, layer_speedup_over, top1_at_least, top1_drop_at_most, latency_p50_at_most, model_bytes_at_most
  };
  Kind kind{};
  std::string job;     // the job compared with; empty where there is none
  double bound = 0.0;  // ratio, fraction, percentage points, nanoseconds or bytes, as the kind says
  std::string text;    // as the job file put it, on one line
  bool operator==(const Expectation&) const = default;
};

struct OptimizerSpec {
  Optimizer name = Optimizer::adamw;
  double lr = 1e-3;
  double weight_decay = 0.0;
  double momentum = 0.9;  // SGD
  bool nesterov = false;  // SGD
  bool operator==(const OptimizerSpec&) const = default;
};

struct ScheduleSpec {
  LearningRateSchedule name = LearningRateSchedule::cosine;
  double warmup_epochs = 0.0;
  std::vector<double> step_epochs;  // `step`; empty: at a half and at three quarters
  double gamma = 0.1;               // `step`
  bool operator==(const ScheduleSpec&) const = default;
};

struct LoraSpec {
  int rank = 8;
  double alpha = 16.0;
  std::vector<std::string> targets;  // layer names; empty: the attention's projections
  bool operator==(const LoraSpec&) const = default;
};

struct TrainableSpec {
  Trainable what = Trainable::all;
  int last = 0;   // `last:N`: blocks counted from the end
  LoraSpec lora;  // read where `what` is lora
  bool operator==(const TrainableSpec&) const = default;
};

struct DistillSpec {
  ModelSpec teacher;
  double temperature = 1.0;
  double weight = 0.5;  // of the teacher's loss; the labels' has the rest
  int augmentations = 10;  // epochs that are drawn differently, and then again: the teacher is asked once for each; 0: all differ
  bool operator==(const DistillSpec&) const = default;
};

struct SearchSpec {
  int trials = 20;
  std::optional<std::int64_t> budget_ns;  // of wall-clock time, over all trials
  SearchObjective objective = SearchObjective::top1;
  bool operator==(const SearchSpec&) const = default;
};

struct TrainSpec {
  int epochs = 1;
  std::optional<int> batch;  // empty: the job's
  OptimizerSpec optimizer;
  ScheduleSpec schedule;
  std::vector<std::string> augment;
  TrainableSpec trainable;
  std::optional<DistillSpec> distill;
  std::optional<SearchSpec> search;
  double label_smoothing = 0.0;
  double clip_norm = 0.0;  // of the gradients of all parameters together; 0: none
  int accumulate = 1;      // parts of a rank's samples of a batch
  std::optional<double> ema;            // decay
  std::optional<int> early_stopping;    // patience, epochs
  bool drop_last = true;   // samples beyond an epoch's last full batch: left out, or a padded batch
  std::optional<DataSpec> validate;     // without a data set the job's; empty: that one's test split
  BatchNormMode batch_norm = BatchNormMode::train;
  std::optional<TrainableSpec> reset;   // parameters that are drawn anew before training
  bool operator==(const TrainSpec&) const = default;
};

struct PruneSpec {
  PruneMethod method = PruneMethod::magnitude;
  Granularity granularity = Granularity::unstructured;
  std::optional<double> sparsity;  // share of weights that become zero
  std::optional<double> flops;     // share of the dense model's FLOPs that stays
  int n = 2, m = 4;                // `n_m`: of each m inputs n stay
  bool per_layer = false;          // the same share of each layer; else the least important of all layers together
  std::vector<std::string> skip;   // layer names
  int batches = 8;                 // `taylor`: of training images that gradients are taken over
  PruneSchedule schedule = PruneSchedule::oneshot;
  double ramp = 0.6;               // `gradual`: share of the steps on which zeros grow; the rest trains with them all
  int rounds = 3;                  // `iterative`
  std::optional<TrainSpec> finetune;
  std::vector<double> sensitivity;  // shares of zeros that are tried on each layer alone; empty: no scan
  bool operator==(const PruneSpec&) const = default;
};

struct CalibrationSpec {
  CalibrationMethod method = CalibrationMethod::minmax;
  double percentile = 99.99;     // `percentile`: of the numbers, in the middle
  std::optional<DataSpec> data;  // stands alone: the job's `data` is not merged in
  bool operator==(const CalibrationSpec&) const = default;
};

struct MixedSpec {
  double accuracy_budget = 1.0;  // percentage points
  bool operator==(const MixedSpec&) const = default;
};

struct QuantizeSpec {
  CalibrationSpec calibration;
  Scheme scheme = Scheme::symmetric;
  WeightBits weights = WeightBits::int8;
  bool per_channel = true;
  std::vector<std::string> keep_fp32;  // layer names
  bool equalise = false;               // MobileNetV2: scales between consecutive layers
  std::optional<double> smooth;        // ViT: SmoothQuant's alpha
  bool correct_bias = false;
  std::optional<DataSpec> validate;    // without a data set the job's; empty: that one's test split
  std::optional<MixedSpec> mixed;
  std::optional<TrainSpec> qat;
  std::optional<SearchSpec> search;
  bool operator==(const QuantizeSpec&) const = default;
};

struct CheckpointSpec {
  std::optional<std::int64_t> every_epochs, every_steps, every_ns;  // at most one is set; none: every epoch
  int keep = 2;  // the newest; beside them the best is kept
  bool operator==(const CheckpointSpec&) const = default;
};

struct RequiresSpec {
  std::optional<std::int64_t> memory_bytes;
  std::vector<std::string> features;  // as /proc/cpuinfo or people name them: core/machine.hpp's has_feature
  bool operator==(const RequiresSpec&) const = default;
};

// `retries: 1` is one more attempt.
struct JobSpec {
  std::string id;  // a sweep member: "grid[precision=int8,attention=flash]"
  Task task{};
  DataSpec data;
  ModelSpec model;
  MeasureSpec measure;
  ParallelSpec parallel;
  std::vector<Expectation> expect;
  std::vector<std::string> needs;

  int ranks = 1;
  int batch = 1;
  std::optional<int> threads;  // empty: the rank's share of its host's cores
  std::vector<Device> device = {Device::cpu};  // in order of preference
  Precision precision = Precision::fp32;
  Attention attention = Attention::automatic;
  GraphMode graph = GraphMode::fused;
  std::uint64_t seed = 0;
  bool keep_logits = false;

  int retries = 0;
  int priority = 0;
  bool stop_on_failure = false;  // on_failure: stop
  std::optional<std::int64_t> time_limit_ns;
  std::string sweep;                  // id of the sweep this is a member of, or empty
  std::optional<int> max_parallel;    // members of the sweep at once
  std::string output_model;           // path of output.model, absolute; empty: none
  std::optional<std::int64_t> memory_limit_bytes;
  std::optional<RequiresSpec> requirements;  // `requires`: what a host must have
  Placement placement = Placement::pack;
  std::optional<ScenarioSpec> scenario;  // empty: calls one after the other, `measure.repeats` times through the data

  std::optional<TrainSpec> train;
  std::optional<PruneSpec> prune;
  std::optional<QuantizeSpec> quantize;
  CheckpointSpec checkpoint;

  std::string resolved;  // the whole job as JSON, defaults included: what `config` in the results shows
  SourcePlace place;     // where the job stands in its file
  bool operator==(const JobSpec&) const = default;
};

}  // namespace edgelab::tasks
