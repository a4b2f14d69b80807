#include "tasks/split/split_run.hpp"

#include <algorithm>
#include <utility>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "parallel/clock_offset.hpp"
#include "parallel/together.hpp"
#include "tasks/answers.hpp"
#include "tasks/measurement.hpp"
#include "tasks/mistakes.hpp"
#include "tasks/model_setup.hpp"
#include "tasks/task_list.hpp"

namespace edgelab::tasks {
namespace {

// Enough to see a pipeline fill and settle; 60 kB in the journal for each rank.
constexpr std::size_t kMostSpans = 2000;

static_assert(static_cast<int>(parallel::Span::Kind::compute) == static_cast<int>(results::SpanKind::compute) &&
              static_cast<int>(parallel::Span::Kind::send) == static_cast<int>(results::SpanKind::send) &&
              static_cast<int>(parallel::Span::Kind::receive) == static_cast<int>(results::SpanKind::receive) &&
              static_cast<int>(parallel::Span::Kind::wait) == static_cast<int>(results::SpanKind::wait));

}  // namespace

SplitRun::SplitRun(const JobSpec& spec, TaskContext& context) : spec_(spec), context_(context), copies_(context.communicator, ways_of(spec).data) {
  const std::int64_t started = now_ns();
  const parallel::Communicator& communicator = context.communicator;
  std::int64_t about[2] = {};  // samples, classes
  parallel::together(communicator, [&] {
    if (!leads()) return;
    dataset_ = data::open_dataset(dataset_options(spec));
    about[0] = dataset_->size();
    about[1] = dataset_->classes();
    if (about[0] < copies_.count()) {
      throw Error(ErrorKind::usage, "there are fewer samples than copies of the model")
          .at(spec.place)
          .got(std::to_string(about[0]) + " samples, parallel.data: " + std::to_string(copies_.count()));
    }
  });
  communicator.broadcast(std::span<std::int64_t>(about), 0);
  samples_ = about[0];
  shard_ = copies_.shard_of(samples_);
  batches_ = MicroBatches(shard_.size(), spec.batch, spec.parallel.microbatch);
  model_.emplace(spec, static_cast<int>(about[1]), copies_.own(), context, batches_.size(), shard_.size());
  row_ = own_rank_row(context, copies_.words() + model_->role());
  row_.load_ns = now_ns() - started;
  bytes_before_ = model_->bytes_sent();
  record_.batch = spec.batch;
  record_.calls = batches_.calls();
}

void SplitRun::fill(std::int64_t index, Tensor input, const Images& images) {
  if (batches_.begins_call(index)) images_ = images(batches_.call_of(index));
  const std::int64_t floats = model_->sample_floats(), first = batches_.first_in_call(index);
  const std::int64_t samples = std::min(batches_.size(), spec_.batch - first);  // those behind the last sample are zeros already
  const auto from = images_.subspan(static_cast<std::size_t>(first * floats), static_cast<std::size_t>(samples * floats));
  const auto to = input.as<float>();
  std::fill(std::copy(from.begin(), from.end(), to.begin()), to.end(), 0.0f);
}

void SplitRun::keep(std::int64_t index, std::span<const float> logits) {
  const std::int64_t samples = batches_.samples_of(index);
  const auto real = logits.first(static_cast<std::size_t>(samples * model_->classes()));
  record_.logits.insert(record_.logits.end(), real.begin(), real.end());
  const std::int64_t first = batches_.call_of(index) * spec_.batch + batches_.first_in_call(index);
  for (std::int64_t i = 0; i < samples; ++i) record_.labels.push_back(dataset_->label(shard_.begin + first + i));
}

std::int64_t SplitRun::send_through(std::int64_t begin, std::int64_t end, const Images& images, bool timed, bool kept) {
  const std::int64_t first = batches_.before_call(begin), count = batches_.before_call(end) - first;
  std::int64_t entered = 0, left = 0;
  micro_batches_ += count;
  model_->log().number_from(first);
  model_->run(
      count,
      [&](std::int64_t index, Tensor input) {
        throw_if_cancelled(context_);
        fill(first + index, std::move(input), images);
      },
      [&](const parallel::Stage::Answer& answer) {
        const std::int64_t index = first + answer.index;
        if (answer.index == 0) entered = answer.entered_ns;
        if (batches_.begins_call(index)) call_entered_ns_ = answer.entered_ns;
        left = answer.left_ns;
        if (timed && batches_.ends_call(index)) record_.latency_ns.push_back(left - call_entered_ns_);
        if (kept) keep(index, answer.values);
        if (told_) told_(answer.index + 1);
      });
  return left - entered;
}

void SplitRun::record_spans() {
  const parallel::Communicator& communicator = context_.communicator;
  const std::int64_t offset = parallel::clock_offset_ns(communicator);
  std::int64_t begin[2] = {now_ns(), wall_clock_ns()};
  communicator.broadcast(std::span<std::int64_t>(begin), 0);
  spans_begin_ns_ = begin[0] - offset;
  row_.spans_began_wall_ns = begin[1];
  model_->log().record(kMostSpans);
}

// Of the micro-batches that every rank has kept whole.
void SplitRun::note_spans() {
  const std::int64_t until = copies_.own().all_reduce(model_->idle() ? batches_.count() : model_->log().whole_until(), parallel::Reduction::min);
  for (const parallel::Span& span : model_->log().spans()) {
    if (span.microbatch >= until) continue;
    row_.span_kind.push_back(static_cast<std::int32_t>(span.kind));
    row_.span_microbatch.push_back(span.microbatch);
    row_.span_start_ns.push_back(span.start_ns - spans_begin_ns_);
    row_.span_end_ns.push_back(span.end_ns - spans_begin_ns_);
  }
}

// What was predicted, beside what came out. Rank 0 knows the rest of both; copies get in nobody's way, so they are so many times one.
void SplitRun::note_forecast() {
  const std::int64_t sent = context_.communicator.all_reduce(model_->bytes_sent() - bytes_before_, parallel::Reduction::sum);
  const std::int64_t micro_batches = copies_.sum(micro_batches_);
  Prediction predicted = model_->prediction();
  if (context_.communicator.rank() != 0 || !predicted.refusal.empty()) return;
  predicted.ways.data = copies_.count();
  predicted.samples_per_second *= copies_.count();
  double latency = 0.0;
  for (const std::int64_t each : record_.latency_ns) latency += static_cast<double>(each) / static_cast<double>(record_.latency_ns.size());
  record_.forecast = {name_of(predicted),
                      predicted.latency_ns,
                      latency,
                      predicted.samples_per_second,
                      *record_.summary.throughput_samples_per_second,
                      predicted.wire_bytes,
                      static_cast<double>(sent) / static_cast<double>(micro_batches)};
}

// In data-set order, since each copy has the shard behind that of the copy before.
void SplitRun::gather_from_copies() {
  if (copies_.count() == 1) return;
  Answers answers;
  answers.latency_ns = std::move(record_.latency_ns);
  answers.labels = std::move(record_.labels);
  answers.logits = std::move(record_.logits);
  gather_answers(context_.communicator, answers);
  record_.latency_ns = std::move(answers.latency_ns);
  record_.labels = std::move(answers.labels);
  record_.logits = std::move(answers.logits);
  record_.calls = copies_.sum(record_.calls);
}

results::JobRecord SplitRun::finish(std::int64_t wall_ns, int passes) {
  model_->note_times(row_);
  note_spans();
  gather_from_copies();
  record_.summary.throughput_samples_per_second = 1e9 * static_cast<double>(samples_ * passes) / static_cast<double>(std::max<std::int64_t>(wall_ns, 1));
  note_forecast();
  std::vector<results::LayerRow> layers = model_->layers();
  record_.ranks = {row_};
  if (context_.communicator.rank() != 0) return std::move(record_);
  record_.layers = std::move(layers);
  complete_answers(record_, model_->classes());
  keep_mistakes(record_, *dataset_);
  record_.summary.samples = samples_;
  record_.model = model_->record();
  return std::move(record_);
}

}  // namespace edgelab::tasks
