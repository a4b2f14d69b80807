// A whole model, planned as a job of task `bench` plans it (random weights), measured on request (on_request.hpp):
//   ./bench_model deit_tiny_patch16_224 fp32 1 2      model, precision, batch, threads
//   ./bench_model mobilenet_v2 int8 1 1 unmeasured    where time tells nothing, as under qemu: the first ways to compute that are offered
// int8 and int4 (the weights) are timed on made-up grids: how long integers take does not depend on them.
#include <iostream>
#include <string>

#include "core/error.hpp"
#include "core/random.hpp"
#include "models/random_weights.hpp"
#include "on_request.hpp"
#include "support/made_up_grids.hpp"
#include "tasks/model_setup.hpp"

namespace edgelab::bench {
namespace {

struct Planned {
  std::shared_ptr<runtime::Executable> executable;
  std::int64_t flop = 0;
};

Planned in_floats(const std::string& arch, const std::string& precision, int batch, int threads, bool choices) {
  tasks::JobSpec spec;
  spec.id = "bench";
  spec.task = tasks::Task::bench;
  spec.model.arch = arch;
  spec.precision = precision == "bf16" ? tasks::Precision::bf16 : tasks::Precision::fp32;
  spec.batch = batch;
  results::ModelRecord record;
  const tasks::BoundModel model = tasks::model_to_run(spec, tasks::model_options(spec, std::nullopt), batch, {}, threads, record);
  return {tasks::compile_inference(spec, model, threads, choices), record.flop_per_sample * batch};
}

Planned in_integers(const std::string& arch, int weight_bits, int batch, int threads, bool choices) {
  models::ModelOptions model;
  model.arch = arch;
  graph::Graph written = models::build(model, batch);
  models::bind_random(written, 1, threads);
  const graph::Graph layers = test::layers_of(written);
  const graph::Quantization quantization = test::quantization_of(layers, [](graph::ValueId) { return graph::Grid{0.03f, 128}; }, weight_bits);
  runtime::PlanOptions options;
  options.threads = threads;
  if (choices) options.choices = &runtime::Choices::of_this_machine();
  const graph::Graph integers = graph::optimise_quantized(written, quantization);
  return {std::make_shared<runtime::Executable>(runtime::Plan::compile(integers, options)), written.flop()};
}

}  // namespace
}  // namespace edgelab::bench

int main(int argc, char** argv) {
  using namespace edgelab;
  if (argc != 5 && !(argc == 6 && std::string(argv[5]) == "unmeasured")) {
    std::cerr << "usage: bench_model MODEL fp32|bf16|int8|int4 BATCH THREADS [unmeasured]\n";
    return 2;
  }
  try {
    const std::string arch = argv[1], precision = argv[2];
    const int batch = std::stoi(argv[3]), threads = std::stoi(argv[4]);
    const bool integers = precision.starts_with("int"), choices = argc == 5;
    const bench::Planned model =
        integers ? bench::in_integers(arch, precision == "int4" ? 4 : 8, batch, threads, choices) : bench::in_floats(arch, precision, batch, threads, choices);
    CounterRandom random(1);
    Tensor input = model.executable->input();
    for (float& element : input.as<float>()) element = random.normal();
    bench::measure_on_request(static_cast<double>(model.flop), [&] { model.executable->run(); });
  } catch (const Error& error) {
    std::cout << "missing " << error.what() << std::endl;
    return 1;
  }
}
