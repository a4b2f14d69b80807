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
#include "results/json/record_json.hpp"
#include "tasks/task.hpp"

namespace edgelab::tasks {
namespace {

std::vector<results::TelemetryRow> rows_of(const HostReadings& readings, int rank, std::int64_t began_ns) {
  std::vector<results::TelemetryRow> rows;
  for (const HostSample& sample : readings.samples()) {
    rows.push_back({sample.time_ns - began_ns, rank, sample.frequency_hz, sample.celsius, sample.power_watt,
                    sample.throttle_bits, sample.resident_bytes});
  }
  return rows;
}

// "pi-1: under-voltage, throttled in 12 of 40 readings"
std::optional<std::string> words_on_throttling(const std::string& host, const HostReadings& readings) {
  if (readings.throttled_readings() == 0) return std::nullopt;
  return fmt::format("{}: {} in {} of {} readings", host, throttle_names(readings.throttle_bits()), readings.throttled_readings(), readings.readings());
}

// What a rank that samples says of its host, as a record of nothing else.
results::JobRecord record_of(const HostSampler& sampler, int rank, std::int64_t began_ns) {
  const HostReadings& readings = sampler.readings();
  const std::string host = host_name();
  results::JobRecord record;
  record.energy.push_back({rank, host, readings.power_source(), readings.joules().value_or(std::nan("")), std::nan(""), readings.window_ns(), readings.readings(),
                           sampler.reading_ns(), sampler.interval_ns()});
  record.telemetry = rows_of(readings, rank, began_ns);
  record.summary.throttling = words_on_throttling(host, readings);
  return record;
}

void append(results::JobRecord& to, const results::JobRecord& from) {
  to.energy.insert(to.energy.end(), from.energy.begin(), from.energy.end());
  to.telemetry.insert(to.telemetry.end(), from.telemetry.begin(), from.telemetry.end());
  const std::optional<std::string>& words = from.summary.throttling;
  if (words) to.summary.throttling = to.summary.throttling ? *to.summary.throttling + "; " + *words : *words;
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
  std::vector<std::uint8_t> mine;
  if (sampler_ && sampler_->readings().window_ns() > 0) mine = results::to_bytes(record_of(*sampler_, communicator_.rank(), began_ns_));
  for (const parallel::Bytes& theirs : communicator_.gather(std::as_bytes(std::span(mine)), 0)) {
    if (theirs.empty()) continue;
    append(record, results::job_record_from_bytes(std::span(reinterpret_cast<const std::uint8_t*>(theirs.data()), theirs.size())));
  }
  double joules = 0;
  for (const results::EnergyRow& host : record.energy) joules += host.energy_joules;
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
