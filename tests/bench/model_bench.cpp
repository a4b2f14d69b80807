// A whole model, planned as a job of task `bench` plans it (random weights), measured on request (on_request.hpp):
//   ./bench_model deit_tiny_patch16_224 fp32 1 2      model, precision (fp32, bf16, int8), batch, threads
// int8: every layer that has an integer kernel, on grids made up from a random input.
#include <iostream>
#include <string>

#include "core/error.hpp"
#include "core/random.hpp"
#include "graph/passes/passes.hpp"
#include "models/random_weights.hpp"
#include "on_request.hpp"
#include "support/made_up_grids.hpp"
#include "tasks/model_setup.hpp"

namespace {

using namespace edgelab;

struct Ready {
  std::shared_ptr<runtime::Executable> executable;
  double flop = 0;
};

Ready as_a_job(const tasks::JobSpec& spec, int threads) {
  const tasks::LoadedModel model = tasks::load_model(spec, std::nullopt, threads);
  return {model.executable, static_cast<double>(model.record.flop_per_sample * spec.batch)};
}

Ready quantized(const tasks::JobSpec& spec, int threads) {
  const auto bound = [&](std::int64_t batch) {
    graph::Graph graph = models::build(tasks::model_options(spec, std::nullopt), batch);
    models::bind_random(graph, spec.seed, threads);
    return graph;
  };
  const graph::Graph graph = bound(spec.batch);
  runtime::PlanOptions options;
  options.threads = threads;
  options.choices = &runtime::Choices::of_this_machine();
  const auto plan = runtime::Plan::compile(graph::optimise_quantized(graph, test::made_up_grids(test::layers_of(bound(1)))), options);
  return {std::make_shared<runtime::Executable>(plan), static_cast<double>(graph.flop())};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::cerr << "usage: bench_model MODEL fp32|bf16|int8 BATCH THREADS\n";
    return 2;
  }
  try {
    tasks::JobSpec spec;
    spec.id = "bench";
    spec.task = tasks::Task::bench;
    spec.model.arch = argv[1];
    spec.precision = std::string_view(argv[2]) == "bf16" ? tasks::Precision::bf16 : tasks::Precision::fp32;
    spec.batch = std::stoi(argv[3]);
    const int threads = std::stoi(argv[4]);
    const bool int8 = std::string_view(argv[2]) == "int8";
    const Ready ready = int8 ? quantized(spec, threads) : as_a_job(spec, threads);
    CounterRandom random(1);
    Tensor input = ready.executable->input();
    for (float& element : input.as<float>()) element = random.normal();
    bench::measure_on_request(ready.flop, [&] { ready.executable->run(); });
  } catch (const Error& error) {
    std::cout << "missing " << error.what() << std::endl;
    return 1;
  }
}
