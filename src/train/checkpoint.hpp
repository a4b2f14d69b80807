#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "models/safetensors/safetensors.hpp"
#include "train/progress.hpp"

namespace edgelab::train {

// All that training needs to go on as if it had never stopped. Tensors share memory with whoever made them.
struct Checkpoint {
  Progress progress;
  std::vector<models::NamedTensor> model;      // parameters and buffers
  std::vector<models::NamedTensor> optimizer;  // Optimizer::state()
  std::vector<models::NamedTensor> average;    // MovingAverage::state(), or nothing
};

// One checkpoint is a safetensors file of "model.NAME", "optimizer.NAME" and "average.NAME", whose metadata has the progress,
// the hash of the job's configuration (`config`, any text), and a SHA-256 over all of it. The file is its old self or its new
// one at any moment, and on disk when this returns. Throws as models::write_safetensors().
void write_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint, const std::string& config);

// Tensors are views of the mapped file; they outlive its name. Throws Error: data if the file is cut short, altered, or no
// checkpoint; usage if it belongs to another configuration; environment if it can't be opened.
Checkpoint read_checkpoint(const std::filesystem::path& path, const std::string& config);

// The same file in memory, for another rank to read.
std::vector<std::uint8_t> checkpoint_bytes(const Checkpoint& checkpoint, const std::string& config);
// Throws as read_checkpoint(), which calls the file `place`.
Checkpoint checkpoint_of_bytes(std::vector<std::uint8_t> file, const std::string& place, const std::string& config);

// The checkpoints of one training run, in a folder of their own. One writer at a time.
class CheckpointFolder {
 public:
  // keep: how many of the newest are kept, at least 1; beside them the best is (Progress::best_steps).
  CheckpointFolder(std::filesystem::path folder, int keep, std::string config);

  // On disk when it returns; then removes those no longer kept, among them any from further on: they are damaged, or of a run
  // that was given up. Makes the folder if need be. Throws as write_checkpoint().
  void save(const Checkpoint& checkpoint) const;

  // The newest that is sound; nothing if there is none. Damaged ones are named in warnings and passed over. Throws Error as
  // read_checkpoint() does for the other reasons.
  std::optional<Checkpoint> latest() const;
  // The one saved after so many steps. Throws as read_checkpoint().
  Checkpoint at(std::int64_t steps) const;

  // For a run that starts afresh.
  void clear() const;

  std::filesystem::path path_of(std::int64_t steps) const;

 private:
  std::vector<std::int64_t> steps_saved() const;  // ascending
  void remove_unfinished() const;                 // what a kill amid a save left

  std::filesystem::path folder_;
  int keep_;
  std::string config_;
};

}  // namespace edgelab::train
