// A training step by AdamW: forward, backward, update; on request (on_request.hpp), or step by step:
//   ./bench_training mobilenet_v2 fp32 16 2            model, precision, batch, threads
//   ./bench_training mobilenet_v2 fp32 16 2 layers     where the time of one step goes
#include <cstdio>
#include <iostream>
#include <map>
#include <string>

#include "core/error.hpp"
#include "core/random.hpp"
#include "models/initial_weights.hpp"
#include "models/model.hpp"
#include "on_request.hpp"
#include "train/trainer.hpp"

namespace {

using namespace edgelab;

void print_layers(runtime::Executable& executable) {
  const std::vector<std::int64_t> times = runtime::profile(executable, 3);
  double all = 0;
  std::map<std::string, double> by_op;
  for (std::size_t i = 0; i < times.size(); ++i) {
    const runtime::StepInfo& info = executable.plan().steps()[i].info;
    const double ms = static_cast<double>(times[i]) * 1e-6;
    std::printf("%8.3f ms %7.1f GFLOP/s  %-36s %-60s %s\n", ms, static_cast<double>(info.flop) / static_cast<double>(times[i]), info.name.c_str(),
                info.op.c_str(), info.implementation.c_str());
    by_op[info.op.substr(0, info.op.find('{')) + " by " + info.implementation] += ms;
    all += ms;
  }
  for (const auto& [op, ms] : by_op) std::printf("%8.2f ms %5.1f %%  %s\n", ms, 100 * ms / all, op.c_str());
  std::printf("%8.2f ms in %zu steps, arena %.1f MiB\n", all, times.size(), static_cast<double>(executable.plan().arena_bytes()) / 1048576);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) {
    std::cerr << "usage: bench_training MODEL fp32|bf16 BATCH THREADS [layers]\n";
    return 2;
  }
  try {
    models::ModelOptions options;
    options.arch = argv[1];
    const std::int64_t batch = std::stoi(argv[3]);
    graph::Graph model = models::build(options, batch);
    models::bind_initial(model, 1);
    std::vector<std::string> parameters;
    for (const graph::ValueId id : model.weights()) {
      if (model.value(id).kind == graph::ValueKind::parameter) parameters.push_back(model.value(id).name);
    }
    train::TrainerSettings settings;
    settings.step.threads = std::stoi(argv[4]);
    settings.step.compute = std::string_view(argv[2]) == "bf16" ? DType::bf16 : DType::f32;
    const double flop = 3.0 * static_cast<double>(model.flop());
    train::Trainer trainer(std::move(model), parameters, settings);
    Tensor images(DType::f32, trainer.compiled().images().shape()), targets(DType::f32, trainer.compiled().targets().shape());
    CounterRandom random(1);
    for (float& element : images.as<float>()) element = random.normal();
    const auto classes = static_cast<std::size_t>(targets.shape()[1]);
    for (std::size_t row = 0; row < static_cast<std::size_t>(batch); ++row) targets.as<float>()[row * classes + row % classes] = 1.0f;
    const auto step = [&] { trainer.step({images.as<float>(), targets.as<float>(), {}, batch}, 1e-4); };
    step();
    if (argc > 5) return print_layers(trainer.compiled().executable()), 0;
    bench::measure_on_request(flop, step);
  } catch (const Error& error) {
    std::cout << "missing " << error.what() << std::endl;
    return 1;
  }
}
