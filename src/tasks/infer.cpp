// Task `infer`: latency, call by call, over real images. Nothing else works while a call is timed: images are prepared
// beforehand, a chunk at a time, by all threads of the rank.
#include <algorithm>

#include "core/parallel_for.hpp"
#include "tasks/measurement.hpp"
#include "tasks/model_setup.hpp"
#include "tasks/scores.hpp"
#include "tasks/task_list.hpp"

namespace edgelab::tasks {
namespace {

// A chunk's tensors must fit beside the model on a Raspberry Pi with 1 GB.
constexpr std::int64_t kChunkBytes = 128 << 20;

struct Chunk {
  std::int64_t first = 0, count = 0;  // calls
  std::vector<float> images;          // [call, batch, 3, S, S]; zeros behind the last sample
};

class InferRun {
 public:
  InferRun(const JobSpec& spec, TaskContext& context, std::int64_t started)
      : spec_(spec), context_(context), dataset_(data::open_dataset(dataset_options(spec))),
        model_(load_model(spec, dataset_.classes(), context)), preprocess_(preprocess_options(spec, model_.options)) {
    load_ns_ = now_ns() - started;
    record_.batch = spec.batch;
    record_.calls = (dataset_.size() + spec.batch - 1) / spec.batch;
    record_.repeats = spec.measure.repeats;
    load(0);  // one call's images only: the first answer need not wait for more
    fill_input(*model_.executable, call(0));
    model_.executable->run();
    record_.summary.time_to_first_inference_ns = now_ns() - started;
    chunk_calls_ = std::clamp<std::int64_t>(kChunkBytes / (call_floats() * static_cast<std::int64_t>(sizeof(float))), 1, record_.calls);
    chunk_ = {};
  }

  results::JobRecord run() {
    const int passes = spec_.measure.warmup + spec_.measure.repeats;
    for (int pass = 0; pass < passes; ++pass) {
      const bool timed = pass >= spec_.measure.warmup;
      for (std::int64_t c = 0; c < record_.calls; ++c) {
        throw_if_cancelled(context_);
        load(c);
        fill_input(*model_.executable, call(c));
        const std::int64_t time = timed_call(*model_.executable);
        compute_ns_ += time;
        if (timed) record_.latency_ns.push_back(time);
        if (pass + 1 == passes) keep_answers(c);
        report(context_, static_cast<double>(pass * record_.calls + c + 1) / static_cast<double>(passes * record_.calls), timed ? "measuring" : "warming up");
      }
    }
    finish();
    return std::move(record_);
  }

 private:
  std::int64_t call_floats() const { return model_.executable->input().elements(); }
  std::span<const float> call(std::int64_t index) const {
    return std::span(chunk_.images).subspan(static_cast<std::size_t>((index - chunk_.first) * call_floats()), static_cast<std::size_t>(call_floats()));
  }

  // Makes sure that the call's images are at hand.
  void load(std::int64_t index) {
    if (index >= chunk_.first && index < chunk_.first + chunk_.count) return;
    const std::int64_t before = now_ns();
    chunk_.first = index / chunk_calls_ * chunk_calls_;
    chunk_.count = std::min(chunk_calls_, record_.calls - chunk_.first);
    chunk_.images.assign(static_cast<std::size_t>(chunk_.count * call_floats()), 0.0f);
    const std::int64_t first = chunk_.first * spec_.batch;
    const std::int64_t samples = std::min(dataset_.size() - first, chunk_.count * spec_.batch);
    const std::int64_t sample_floats = call_floats() / spec_.batch;
    prepare_samples(first, samples, sample_floats);
    preprocess_ns_ += now_ns() - before;
  }

  void prepare_samples(std::int64_t first, std::int64_t samples, std::int64_t sample_floats) {
    std::vector<std::exception_ptr> failures(static_cast<std::size_t>(samples));  // an exception must not leave a thread
    parallel_for(samples, context_.threads, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        try {
          thread_local std::optional<data::Preprocessor> preprocessor;
          if (i == begin) preprocessor.emplace(preprocess_);
          (*preprocessor)(dataset_.image(first + i),
                          std::span(chunk_.images).subspan(static_cast<std::size_t>(i * sample_floats), static_cast<std::size_t>(sample_floats)));
        } catch (...) {
          failures[static_cast<std::size_t>(i)] = std::current_exception();
        }
      }
    });
    for (const std::exception_ptr& failure : failures) {
      if (failure) std::rethrow_exception(failure);
    }
  }

  void keep_answers(std::int64_t c) {
    const std::int64_t samples = std::min<std::int64_t>(spec_.batch, dataset_.size() - c * spec_.batch);
    const Tensor output = model_.executable->output();
    const auto logits = output.as<float>().first(static_cast<std::size_t>(samples * model_.classes));
    record_.logits.insert(record_.logits.end(), logits.begin(), logits.end());
    for (std::int64_t i = 0; i < samples; ++i) record_.labels.push_back(dataset_.label(c * spec_.batch + i));
  }

  void finish() {
    complete_answers(record_, model_.classes);
    double total = 0.0;
    for (const std::int64_t time : record_.latency_ns) total += static_cast<double>(time);
    record_.summary.samples = dataset_.size();
    record_.summary.throughput_samples_per_second = 1e9 * static_cast<double>(dataset_.size() * spec_.measure.repeats) / total;
    record_.model = model_.record;
    record_.layers = layer_table(*model_.executable);
    results::RankRow row = own_rank_row(context_, "all layers");
    row.load_ns = load_ns_;
    row.preprocess_ns = preprocess_ns_;
    row.compute_ns = compute_ns_;
    record_.ranks = {row};
  }

  const JobSpec& spec_;
  TaskContext& context_;
  data::Dataset dataset_;
  LoadedModel model_;
  data::PreprocessOptions preprocess_;
  results::JobRecord record_;
  std::int64_t chunk_calls_ = 1;
  Chunk chunk_;
  std::int64_t load_ns_ = 0, preprocess_ns_ = 0, compute_ns_ = 0;
};

}  // namespace

results::JobRecord run_infer(const JobSpec& spec, TaskContext& context) { return InferRun(spec, context, now_ns()).run(); }

}  // namespace edgelab::tasks
