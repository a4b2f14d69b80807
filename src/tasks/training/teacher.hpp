#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "data/training_loader.hpp"
#include "runtime/executable.hpp"
#include "tasks/job_spec.hpp"
#include "tasks/task.hpp"

namespace edgelab::tasks {

// What a teacher says to the images of this rank's rows, augmented as its student sees them, at the teacher's own size. Its
// logits for an epoch are computed when the epoch begins, and kept: an epoch that is drawn again (distill.augmentations) costs
// nothing, nor does another job with the same teacher, data, augmentation and seed on this machine (they lie in the cache folder).
class Teacher {
 public:
  // `student`: the student's loader, whose order and augmentations the teacher follows. Throws Error.
  Teacher(const JobSpec& spec, const TaskContext& context, data::Dataset dataset, const data::TrainingLoaderOptions& student);

  // Computes, or fetches, the logits of an epoch. Throws Error, Cancelled.
  void begin_epoch(std::int64_t epoch);
  // [rows, classes] of a step of the epoch that was begun.
  std::span<const float> logits(std::int64_t step) const;
  const std::string& name() const { return name_; }

 private:
  std::vector<float> computed(std::int64_t epoch);
  std::string cache_name(std::int64_t drawn) const;

  const TaskContext& context_;
  data::Dataset dataset_;
  data::TrainingLoaderOptions loader_;
  std::string name_, key_;
  std::int64_t rows_ = 0, classes_ = 0, steps_ = 0;
  std::shared_ptr<runtime::Executable> executable_;
  std::vector<std::vector<float>> kept_;  // by epoch as it is drawn; [step, row, class]
  const std::vector<float>* current_ = nullptr;
};

}  // namespace edgelab::tasks
