#include "tasks/quantizing/on_noise.hpp"

#include "compress/quantize/observer.hpp"
#include "compress/quantize/quantizer.hpp"
#include "models/model_file.hpp"
#include "tasks/measurement.hpp"
#include "tasks/quantizing/calibration.hpp"

namespace edgelab::tasks {

void quantize_on_noise(BoundModel& model, const models::ModelOptions& options, std::uint64_t seed, int threads, results::ModelRecord& record) {
  compress::Observer observer(model.graph);
  runtime::Executable executable = watched(observer, threads);
  fill_with_noise(executable, seed);
  executable.run();
  note_run(observer, executable, executable.input().shape()[0], threads);
  model.quantization = compress::quantized(observer, {});
  record.weights += ", on grids of made-up images";
  record.bytes_on_disk = static_cast<std::int64_t>(models::quantized_model_file(observer.graph(), options, model.quantization).size());
}

}  // namespace edgelab::tasks
