#include "tasks/training/teacher.hpp"

#include <fmt/format.h>

#include <cstring>

#include "core/cache_folder.hpp"
#include "core/error.hpp"
#include "core/file.hpp"
#include "core/hash.hpp"
#include "core/log.hpp"
#include "tasks/measurement.hpp"
#include "tasks/model_setup.hpp"

namespace edgelab::tasks {

namespace {

// The teacher as a job of its own: what it is asked for is inference in fp32.
JobSpec spec_of_teacher(const JobSpec& spec, const TaskContext& context, std::int64_t rows) {
  JobSpec teacher = spec;
  teacher.model = completed(spec.train->distill->teacher, context.weights_of_jobs);
  teacher.batch = static_cast<int>(rows);
  teacher.task = Task::evaluate;
  teacher.precision = Precision::fp32;
  teacher.data.resize.reset();
  return teacher;
}

std::string augmentation_text(const data::TrainingLoaderOptions& loader) {
  std::string shares;
  for (const std::int64_t share : loader.shares) shares += fmt::format(" {}", share);
  const data::Augmentations& a = loader.augment;
  return fmt::format("crop {} flip {} randaugment {} mixup {} cutmix {}; batch {} shares{} rank {} drop_last {}; seed {}; size {} by {}", a.crop, a.flip,
                     a.randaugment, a.mixup, a.cutmix, loader.batch, shares, loader.rank, loader.drop_last, loader.seed, loader.preprocess.size,
                     static_cast<int>(loader.preprocess.interpolation));
}

}  // namespace

Teacher::Teacher(const JobSpec& spec, const TaskContext& context, data::Dataset dataset, const data::TrainingLoaderOptions& student)
    : context_(context), dataset_(std::move(dataset)), loader_(student) {
  rows_ = student.shares.empty() ? student.batch : student.shares[static_cast<std::size_t>(student.rank)];
  const JobSpec teacher = spec_of_teacher(spec, context, rows_);
  const models::ModelOptions options = model_options(teacher, dataset_.classes());
  name_ = options.arch;
  results::ModelRecord record;
  BoundModel model = bound_model(teacher.model, options, rows_, spec.seed, Randomness::lively, context.weights_of_jobs, context.threads, record);
  classes_ = model.graph.type(model.graph.outputs().front()).shape.back();
  if (classes_ != dataset_.classes()) {
    throw Error(ErrorKind::usage, "job " + spec.id + ": the teacher knows another number of classes than the data has")
        .at(spec.place)
        .got(std::to_string(classes_))
        .expected(std::to_string(dataset_.classes()));
  }
  executable_ = compile_inference(teacher, std::move(model), context.threads, true);
  executable_->stop_when(context.cancelled);
  loader_.preprocess = preprocess_options(teacher, options);
  loader_.label_smoothing = 0.0;
  loader_.threads = std::max(1, context.threads);
  steps_ = data::steps_per_epoch(dataset_.size(), loader_.batch, loader_.drop_last);
  const std::string all = fmt::format("{}; {}; {}; {} samples; {}", record.weights, options.arch, dataset_.content_hash(), dataset_.size(), augmentation_text(loader_));
  key_ = sha256_of_text(all);
}

std::string Teacher::cache_name(std::int64_t drawn) const { return fmt::format("{}-{}.f32", key_.substr(0, 32), drawn); }

void Teacher::begin_epoch(std::int64_t epoch) {
  const bool repeats = loader_.different_epochs > 0;
  const std::int64_t drawn = repeats ? epoch % loader_.different_epochs : epoch;
  const std::size_t slot = repeats ? static_cast<std::size_t>(drawn) : 0;
  if (kept_.size() <= slot) kept_.resize(slot + 1);
  if (!repeats || kept_[slot].empty()) kept_[slot] = computed(drawn);
  current_ = &kept_[slot];
}

std::vector<float> Teacher::computed(std::int64_t epoch) {
  const auto size = static_cast<std::size_t>(steps_ * rows_ * classes_);
  const std::filesystem::path file = cache_folder() / "teachers" / cache_name(epoch);
  std::vector<float> logits(size);
  std::error_code ignored;
  if (std::filesystem::file_size(file, ignored) == size * sizeof(float) && !ignored) {
    const std::vector<std::uint8_t> bytes = read_file(file, size * sizeof(float));
    std::memcpy(logits.data(), bytes.data(), bytes.size());
    return logits;
  }
  data::TrainingLoaderOptions options = loader_;
  options.epoch = epoch;
  options.epochs = epoch + 1;
  options.step = 0;
  data::TrainingLoader loader(dataset_, options);
  const auto row = static_cast<std::size_t>(rows_ * classes_);
  for (std::int64_t step = 0; step < steps_; ++step) {
    throw_if_cancelled(context_);
    const auto batch = loader.next();
    fill_input(*executable_, batch->images.as<float>());
    executable_->run();
    const Tensor output = executable_->output();
    std::copy_n(output.as<float>().begin(), row, logits.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(step) * row));
    report(context_, 0.0, fmt::format("asking the teacher, epoch {}: step {} of {}", epoch + 1, step + 1, steps_).c_str());
  }
  try {
    make_folders(file.parent_path());
    replace_file(file, std::as_bytes(std::span(logits)));
  } catch (const Error& error) {  // a full or read-only cache costs time, nothing else
    log::warning(fmt::format("the teacher's answers are not kept: {}", error.what()));
  }
  return logits;
}

std::span<const float> Teacher::logits(std::int64_t step) const {
  const auto row = static_cast<std::size_t>(rows_ * classes_);
  return std::span(*current_).subspan(static_cast<std::size_t>(step) * row, row);
}

}  // namespace edgelab::tasks
