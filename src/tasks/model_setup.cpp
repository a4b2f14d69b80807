#include "tasks/model_setup.hpp"

#include <filesystem>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "graph/passes/passes.hpp"
#include "models/random_weights.hpp"
#include "models/safetensors/safetensors.hpp"
#include "models/weights.hpp"

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
  options.split = spec.data.split == Split::train ? data::Split::train : data::Split::test;
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

void bind_weights(const JobSpec& spec, graph::Graph& graph, results::ModelRecord& record, int threads) {
  if (spec.model.weights.random()) {
    models::bind_random(graph, spec.seed, threads);
    record.weights = "random, seed " + std::to_string(spec.seed);
    record.bytes_on_disk = 0;
    for (const graph::ValueId id : graph.weights()) record.bytes_on_disk += static_cast<std::int64_t>(graph.type(id).bytes());
    return;
  }
  const std::filesystem::path path = spec.model.weights.path;
  models::bind(graph, models::Safetensors::open(path));
  record.weights = path.string() + ", sha256 " + sha256_of_file(path);
  record.bytes_on_disk = static_cast<std::int64_t>(std::filesystem::file_size(path));
}

}  // namespace

LoadedModel load_model(const JobSpec& spec, std::optional<int> dataset_classes, int threads) {
  LoadedModel model;
  model.options = model_options(spec, dataset_classes);
  graph::Graph graph = models::build(model.options, spec.batch);
  model.record.arch = spec.model.arch;
  bind_weights(spec, graph, model.record, threads);
  model.record.parameters = graph.parameter_elements();
  model.record.nonzero_parameters = graph.nonzero_parameter_elements();
  model.record.flop_per_sample = graph.flop() / spec.batch;
  model.classes = graph.type(graph.outputs().front()).shape.back();
  if (spec.graph == GraphMode::fused) graph = graph::optimise(graph);
  runtime::PlanOptions options;
  options.threads = threads;
  model.executable = std::make_shared<runtime::Executable>(runtime::Plan::compile(graph, options));
  return model;
}

std::vector<results::LayerRow> layer_table(runtime::Executable& executable) {
  constexpr int kRuns = 5;
  const std::vector<std::int64_t> times = runtime::profile(executable, kRuns);
  std::vector<results::LayerRow> rows;
  for (std::size_t i = 0; i < times.size(); ++i) {
    const runtime::StepInfo& info = executable.plan().steps()[i].info;
    rows.push_back({info.name, info.op, std::string(name_of(info.requested)), std::string(name_of(info.effective)), info.implementation,
                    info.refused, times[i], info.bytes, info.sparsity, info.flop});
  }
  return rows;
}

}  // namespace edgelab::tasks
