#include "tasks/telemetry/job_telemetry.hpp"

#include <fmt/format.h>

#include <cmath>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/host_state.hpp"
#include "core/machine.hpp"
#include "parallel/numbers.hpp"
#include "tasks/task.hpp"

namespace edgelab::tasks {
namespace {

// What a rank says of its host beside the rows of the table.
struct HostTotals {
  double joules = 0;  // NaN where nothing can tell
  std::int64_t window_ns = 0, readings = 0, reading_ns = 0, interval_ns = 0;
  std::int64_t throttled_readings = 0, throttle_bits = 0;
};

HostTotals totals_of(const HostSampler& sampler) {
  const HostReadings& readings = sampler.readings();
  return {readings.joules().value_or(std::nan("")),
          readings.window_ns(),
          readings.readings(),
          sampler.reading_ns(),
          sampler.interval_ns(),
          readings.throttled_readings(),
          readings.throttle_bits()};
}

std::vector<results::TelemetryRow> rows_of(const HostReadings& readings, int rank, std::int64_t began_ns) {
  std::vector<results::TelemetryRow> rows;
  for (const HostSample& sample : readings.samples()) {
    rows.push_back({sample.time_ns - began_ns, rank, sample.frequency_hz, sample.celsius, sample.power_watt,
                    sample.throttle_bits, sample.resident_bytes});
  }
  return rows;
}

// "pi-1: under-voltage, throttled in 12 of 40 readings"
void note_throttling(const std::string& host, const HostTotals& totals, results::Summary& summary) {
  if (totals.throttled_readings == 0) return;
  const std::string text = fmt::format("{}: {} in {} of {} readings", host, throttle_names(totals.throttle_bits),
                                       totals.throttled_readings, totals.readings);
  summary.throttling = summary.throttling ? *summary.throttling + "; " + text : text;
}

}  // namespace

JobTelemetry::JobTelemetry(TaskContext& context) : context_(context), communicator_(context.communicator), began_ns_(now_ns()) {
  const parallel::HostLayout layout = communicator_.host_layout();
  if (layout.index_on_host(communicator_.rank()) == 0) begin();
  context_.telemetry = this;
}

JobTelemetry::~JobTelemetry() { context_.telemetry = nullptr; }

void JobTelemetry::begin() {
  sampler_ = std::make_unique<HostSampler>(context_.host_root, usable_cores());
  samples_ = 0;
}

void JobTelemetry::gather(results::JobRecord& record) const {
  std::vector<HostTotals> mine;
  std::vector<results::TelemetryRow> rows;
  std::string host, source;
  if (sampler_ && sampler_->readings().window_ns() > 0) {
    mine.push_back(totals_of(*sampler_));
    rows = rows_of(sampler_->readings(), communicator_.rank(), began_ns_);
    host = this_machine().host_name;
    source = sampler_->readings().power_source();
  }
  const auto all_totals = communicator_.gather(std::as_bytes(std::span(mine)), 0);
  const auto all_rows = communicator_.gather(std::as_bytes(std::span(rows)), 0);
  const auto all_hosts = communicator_.gather(std::as_bytes(std::span(host)), 0);
  const auto all_sources = communicator_.gather(std::as_bytes(std::span(source)), 0);
  double joules = 0;
  for (std::size_t rank = 0; rank < all_totals.size(); ++rank) {
    for (const HostTotals& totals : parallel::values_of<HostTotals>(all_totals[rank])) {
      record.energy.push_back({static_cast<int>(rank), parallel::text_of(all_hosts[rank]), parallel::text_of(all_sources[rank]),
                               totals.joules, std::nan(""), totals.window_ns, totals.readings, totals.reading_ns,
                               totals.interval_ns});
      joules += totals.joules;
      note_throttling(record.energy.back().host, totals, record.summary);
    }
    const auto theirs = parallel::values_of<results::TelemetryRow>(all_rows[rank]);
    record.telemetry.insert(record.telemetry.end(), theirs.begin(), theirs.end());
  }
  if (record.energy.empty() || std::isnan(joules)) return;
  record.summary.energy_joules = joules;
  if (samples_ > 0) record.summary.energy_per_sample_joules = joules / static_cast<double>(samples_);
}

void forget_measured(const TaskContext& context) {
  if (context.telemetry != nullptr && context.telemetry->sampler_) context.telemetry->begin();
}

MeasuredWindow::MeasuredWindow(const TaskContext& context) : telemetry_(context.telemetry) {
  if (telemetry_ != nullptr && telemetry_->sampler_) telemetry_->sampler_->open();
}

MeasuredWindow::~MeasuredWindow() {
  if (telemetry_ != nullptr && telemetry_->sampler_) telemetry_->sampler_->close();
}

void MeasuredWindow::add_samples(std::int64_t count) {
  if (telemetry_ != nullptr) telemetry_->samples_ += count;
}

}  // namespace edgelab::tasks
