// A whole model, planned as a job of task `bench` plans it (random weights), measured on request (on_request.hpp):
//   ./bench_model deit_tiny_patch16_224 fp32 1 2      model, precision, batch, threads
#include <iostream>
#include <string>

#include "core/error.hpp"
#include "core/random.hpp"
#include "on_request.hpp"
#include "tasks/model_setup.hpp"

int main(int argc, char** argv) {
  using namespace edgelab;
  if (argc != 5) {
    std::cerr << "usage: bench_model MODEL fp32|bf16 BATCH THREADS\n";
    return 2;
  }
  try {
    tasks::JobSpec spec;
    spec.id = "bench";
    spec.task = tasks::Task::bench;
    spec.model.arch = argv[1];
    spec.precision = std::string_view(argv[2]) == "bf16" ? tasks::Precision::bf16 : tasks::Precision::fp32;
    spec.batch = std::stoi(argv[3]);
    const tasks::LoadedModel model = tasks::load_model(spec, std::nullopt, std::stoi(argv[4]));
    CounterRandom random(1);
    Tensor input = model.executable->input();
    for (float& element : input.as<float>()) element = random.normal();
    bench::measure_on_request(static_cast<double>(model.record.flop_per_sample * spec.batch), [&] { model.executable->run(); });
  } catch (const Error& error) {
    std::cout << "missing " << error.what() << std::endl;
    return 1;
  }
}
