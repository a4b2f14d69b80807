#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "compress/quantize/observer.hpp"
#include "data/dataset.hpp"
#include "models/model.hpp"
#include "tasks/task.hpp"
#include "tasks/verdict.hpp"

namespace edgelab::tasks {

// One quantization job on one rank, from its data to its record: calibration, grids, layers that stay in floats (mixed), training that
// knows of the integers (a Training), and what the result says to the held-out images. Collective over the job's ranks throughout;
// rank 0 decides and the others are sent the result.
class Quantizing {
 public:
  using File = std::vector<std::uint8_t>;
  // A float model, folded and rescaled, and what calibration saw of it.
  struct Calibrated {
    File floats;
    compress::Observer observer;
  };
  // By how the model was rescaled: the trials of a search calibrate once for each.
  using Calibrations = std::map<std::string, std::shared_ptr<const Calibrated>>;

  // `calibrations`: those that are there are used, new ones are added; may be null. Throws Error.
  Quantizing(const JobSpec& spec, TaskContext& context, Calibrations* calibrations = nullptr);
  // Throws Error, Cancelled.
  results::JobRecord run();

 private:
  graph::Graph float_model(const File& floats, std::int64_t batch) const;  // folded, in memory of its own
  graph::Graph with_weights_of(const File& floats, const graph::Graph& layers) const;
  std::shared_ptr<const Calibrated> calibrated() const;
  Calibrated observed(File floats) const;
  File rescaled(const Calibrated& seen) const;
  File quantized(const std::vector<std::string>& kept) const;
  void take(File file);
  std::vector<std::string> layers_to_keep(std::vector<results::SensitivityRow>& rows);
  std::vector<results::SensitivityRow> scanned(const Verdict& floats);
  Verdict verdict_without(const std::vector<std::string>& kept) const;
  results::JobRecord evaluated();

  bool leads() const { return context_.communicator.rank() == 0; }

  JobSpec spec_;
  JobSpec job_;  // the same as a training job on what take() was given last
  TaskContext& context_;
  models::ModelOptions options_;
  std::shared_ptr<const Calibrated> calibrated_;
};

}  // namespace edgelab::tasks
