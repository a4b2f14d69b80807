#include "tasks/model_setup.hpp"

#include <filesystem>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "graph/passes/passes.hpp"
#include "kernels/cuda/backend.hpp"
#include "kernels/tile_gemm/speed_limit.hpp"
#include "models/initial_weights.hpp"
#include "models/model_metadata.hpp"
#include "models/model_weights.hpp"
#include "models/random_weights.hpp"
#include "models/reshape.hpp"
#include "models/safetensors/safetensors.hpp"
#include "models/weights.hpp"
#include "parallel/numbers.hpp"
#include "tasks/quantizing/on_noise.hpp"

namespace edgelab::tasks {

bool reads_data(const JobSpec& spec) { return spec.task != Task::bench && !spec.data.dataset.empty(); }

models::ModelOptions model_options(const JobSpec& spec, std::optional<int> classes) {
  const ModelSpec& model = spec.model;
  models::ModelOptions options;
  options.arch = model.arch;
  options.classes = model.classes ? model.classes : classes;
  options.input_size = model.input_size;
  options.img_size = model.img_size;
  options.patch_size = model.patch_size;
  options.depth = model.depth;
  options.embed_dim = model.embed_dim;
  options.num_heads = model.num_heads;
  options.width_mult = model.width_mult;
  // A convolutional network takes images of any size, so the images decide; a ViT's position embedding fixes its own.
  const bool any_size = models::arch_named(model.arch).family == models::Family::mobilenet_v2;
  const bool reads_images = reads_data(spec);
  if (any_size && !options.input_size && reads_images) options.input_size = spec.data.resize;
  const int size = models::input_size_of(options);
  if (reads_images && spec.data.resize && *spec.data.resize != size) {
    throw Error(ErrorKind::usage, "job " + spec.id + ": data.resize is not the size of image that the model takes")
        .at(spec.place)
        .got(std::to_string(*spec.data.resize))
        .expected(std::to_string(size))
        .hint(any_size ? "leave out model.input_size or data.resize" : "set model.img_size to the same number, or leave out data.resize");
  }
  return options;
}

data::DatasetOptions dataset_options(const JobSpec& spec) {
  data::DatasetOptions options;
  options.dataset = spec.data.dataset;
  options.path = spec.data.path;
  options.split = spec.data.split.value_or(Split::test) == Split::train ? data::Split::train : data::Split::test;
  options.limit = spec.data.limit;
  options.per_class = spec.data.per_class;
  options.shuffle = spec.data.shuffle;
  options.seed = spec.seed;
  return options;
}

data::PreprocessOptions preprocess_options(const JobSpec& spec, const models::ModelOptions& options) {
  data::PreprocessOptions preprocess;
  preprocess.size = models::input_size_of(options);
  preprocess.interpolation = spec.data.interpolation == Interpolation::bicubic ? data::Interpolation::bicubic : data::Interpolation::bilinear;
  return preprocess;
}

namespace {

kernels::Attention::Algorithm algorithm_of(Attention attention) {
  using Algorithm = kernels::Attention::Algorithm;
  if (attention == Attention::automatic) return Algorithm::automatic;
  return attention == Attention::naive ? Algorithm::naive : Algorithm::flash;
}

// The reference refuses nothing, so that a plan alone does not say no.
void require_flash(const JobSpec& spec, const runtime::Plan& plan) {
  for (const runtime::Plan::Step& step : plan.steps()) {
    if (!step.info.op.starts_with(kernels::Attention::kName) || step.info.implementation.starts_with("flash")) continue;
    throw Error(ErrorKind::usage, "job " + spec.id + ": attention: flash can't be had for layer " + step.info.name)
        .at(spec.place)
        .got(step.info.refused)
        .hint("say attention: auto or naive");
  }
}

}  // namespace

ModelSpec completed(ModelSpec model, const WeightsOfJobs& weights) {
  if (model.weights.job.empty() || !weights.contains(model.weights.job)) return model;
  const models::ModelOptions made = models::options_of(weights_file(model, weights).metadata());
  const bool same = model.arch.empty() || model.arch == made.arch;
  if (model.arch.empty()) model.arch = made.arch;
  if (!same) return model;
  const auto fill = [](auto& wanted, const auto& given) {
    if (!wanted) wanted = given;
  };
  fill(model.classes, made.classes);
  if (!model.img_size) fill(model.input_size, made.input_size);
  if (!model.input_size) fill(model.img_size, made.img_size);
  fill(model.patch_size, made.patch_size);
  fill(model.depth, made.depth);
  fill(model.embed_dim, made.embed_dim);
  fill(model.num_heads, made.num_heads);
  fill(model.width_mult, made.width_mult);
  return model;
}

models::Safetensors weights_file(const ModelSpec& model, const WeightsOfJobs& weights) {
  if (model.weights.job.empty()) return models::Safetensors::open(model.weights.path);
  const auto found = weights.find(model.weights.job);
  if (found == weights.end()) {
    throw Error(ErrorKind::environment, "the weights that job " + model.weights.job + " made are not there")
        .hint("a job that makes weights keeps them beside the results file; run it again, without --resume");
  }
  auto bytes = std::make_shared<std::vector<std::uint8_t>>(found->second);
  const std::span<std::uint8_t> all(*bytes);
  return models::Safetensors::of_bytes(std::as_writable_bytes(all), bytes, "weights of job " + model.weights.job);
}

BoundModel bound_model(const ModelSpec& model, const models::ModelOptions& options, std::int64_t batch, std::uint64_t seed, Randomness randomness,
                         const WeightsOfJobs& weights, int threads, results::ModelRecord& record) {
  BoundModel result{models::build(options, batch), {}};
  graph::Graph& graph = result.graph;
  record.arch = options.arch;
  if (model.weights.random()) {
    randomness == Randomness::lively ? models::bind_random(graph, seed, threads) : models::bind_initial(graph, seed);
    record.weights = "random, seed " + std::to_string(seed);
    record.bytes_on_disk = 0;
    for (const graph::ValueId id : graph.weights()) record.bytes_on_disk += static_cast<std::int64_t>(graph.type(id).bytes());
    return result;
  }
  models::ModelWeights file = models::model_weights(weights_file(model, weights));
  graph = models::with_shapes_of(graph, file);
  models::bind(graph, file);
  result.quantization = std::move(file.quantization);
  if (model.weights.job.empty()) {
    const std::filesystem::path path = model.weights.path;
    record.weights = path.string() + ", sha256 " + sha256_of_file(path);
    record.bytes_on_disk = static_cast<std::int64_t>(std::filesystem::file_size(path));
  } else {
    const std::vector<std::uint8_t>& bytes = weights.at(model.weights.job);
    record.weights = "of job " + model.weights.job + ", sha256 " + sha256_of(std::as_bytes(std::span(bytes)));
    record.bytes_on_disk = static_cast<std::int64_t>(bytes.size());
  }
  return result;
}

BoundModel model_to_run(const JobSpec& spec, const models::ModelOptions& options, std::int64_t batch, const WeightsOfJobs& weights, int threads,
                        results::ModelRecord& record) {
  BoundModel model = bound_model(spec.model, options, batch, spec.seed, Randomness::lively, weights, threads, record);
  if (spec.model.weights.random() && in_integers(spec)) quantize_on_noise(model, options, spec.seed, threads, record);
  record.parameters = model.graph.parameter_elements();
  record.nonzero_parameters = model.graph.nonzero_parameter_elements();
  record.flop_per_sample = model.graph.flop() / batch;
  return model;
}

bool in_integers(const JobSpec& spec) { return spec.precision == Precision::int8 || spec.precision == Precision::mixed || spec.task == Task::quantize; }

namespace {

graph::Graph passed(const JobSpec& spec, const BoundModel& model) {
  const bool fused = spec.graph == GraphMode::fused;
  if (!in_integers(spec)) return fused ? graph::optimise(model.graph) : model.graph;
  if (model.quantization.empty()) {
    throw Error(ErrorKind::usage, "job " + spec.id + ": precision: int8 and mixed want a quantized model")
        .at(spec.place)
        .got("weights without grids")
        .hint("make one with task: quantize, and say weights: {job: …} or the path of its output.model");
  }
  graph::Quantization quantization = model.quantization;
  if (spec.attention != Attention::automatic) quantization.attentions.clear();  // an algorithm in floats is asked for
  return fused ? graph::optimise_quantized(model.graph, quantization) : graph::quantized_layers(model.graph, quantization);
}

}  // namespace

graph::Graph inference_graph(const JobSpec& spec, const BoundModel& model) {
  graph::Graph graph = passed(spec, model);
  if (spec.attention != Attention::automatic) graph = graph::set_attention(graph, algorithm_of(spec.attention));
  if (spec.precision == Precision::bf16 || spec.precision == Precision::mixed) graph = graph::narrow_values(graph::set_compute(graph, DType::bf16));
  return graph;
}

std::shared_ptr<runtime::Executable> planned_inference(const JobSpec& spec, const graph::Graph& graph, int threads, bool choices) {
  runtime::PlanOptions options;
  options.threads = threads;
  if (spec.device.front() == Device::cuda) {
    options.device = &kernels::cuda::devices().found.at(static_cast<std::size_t>(kernels::cuda::backend().device()));
    options.tf32 = spec.precision == Precision::tf32;
  } else if (choices && spec.graph == GraphMode::fused) options.choices = &runtime::Choices::of_this_machine();
  const auto plan = runtime::Plan::compile(graph, options);
  if (spec.attention == Attention::flash) require_flash(spec, *plan);
  return std::make_shared<runtime::Executable>(plan);
}

std::shared_ptr<runtime::Executable> compile_inference(const JobSpec& spec, const BoundModel& model, int threads, bool choices) {
  return planned_inference(spec, inference_graph(spec, model), threads, choices);
}

void share_choices(const parallel::Communicator& communicator) {
  runtime::Choices& choices = runtime::Choices::of_this_machine();
  const std::string mine = communicator.rank() == 0 ? choices.text() : "";
  const auto bytes = std::as_bytes(std::span(mine));
  parallel::Bytes text(bytes.begin(), bytes.end());
  communicator.broadcast(text, 0);
  if (communicator.rank() != 0) choices.add(parallel::text_of(text));
}

namespace {

LoadedModel load_with(const JobSpec& spec, std::optional<int> dataset_classes, const WeightsOfJobs& weights, int threads) {
  LoadedModel model;
  model.options = model_options(spec, dataset_classes);
  const BoundModel bound = model_to_run(spec, model.options, spec.batch, weights, threads, model.record);
  model.classes = bound.graph.type(bound.graph.outputs().front()).shape.back();
  model.executable = compile_inference(spec, bound, threads, true);
  return model;
}

}  // namespace

LoadedModel load_model(const JobSpec& spec, std::optional<int> dataset_classes, int threads) {
  JobSpec alone = spec;
  alone.model.weights.job.clear();
  return load_with(alone, dataset_classes, {}, threads);
}

namespace {

// Rank 0 measures, the others take its choices.
LoadedModel load_with_choices_of_rank_0(const JobSpec& spec, std::optional<int> dataset_classes, const TaskContext& context) {
  const auto load = [&] { return load_with(spec, dataset_classes, context.weights_of_jobs, context.threads); };
  if (context.communicator.rank() != 0) {
    share_choices(context.communicator);
    return load();
  }
  try {
    LoadedModel model = load();
    share_choices(context.communicator);
    return model;
  } catch (const Error&) {
    share_choices(context.communicator);  // they wait for it before they find the same error
    throw;
  }
}

}  // namespace

LoadedModel load_model(const JobSpec& spec, std::optional<int> dataset_classes, const TaskContext& context) {
  const bool alone = context.communicator.size() == 1;
  LoadedModel model = alone ? load_with(spec, dataset_classes, context.weights_of_jobs, context.threads) : load_with_choices_of_rank_0(spec, dataset_classes, context);
  model.executable->stop_when(context.cancelled);
  return model;
}

std::vector<results::LayerRow> layer_table(runtime::Executable& executable) {
  constexpr int kRuns = 5;
  const std::vector<std::int64_t> times = runtime::profile(executable, kRuns);
  const int threads = executable.plan().threads();
  std::vector<results::LayerRow> rows;
  for (std::size_t i = 0; i < times.size(); ++i) {
    const runtime::StepInfo& info = executable.plan().steps()[i].info;
    const std::string effective = info.tf32 ? "tf32" : std::string(name_of(info.effective));
    const bool limited = info.flop > 0 && !executable.plan().on_device();  // a device's limit is not known here
    rows.push_back({info.name, info.op, std::string(name_of(info.requested)), effective, info.implementation, info.refused, times[i], info.bytes,
                    info.sparsity, info.flop, limited ? kernels::tile_gemm::speed_limit(info.effective, threads) : 0.0});
  }
  return rows;
}

}  // namespace edgelab::tasks
