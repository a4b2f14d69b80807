#include "tasks/quantizing/settings.hpp"

namespace edgelab::tasks {
namespace {

compress::RangeMethod method_of(CalibrationMethod method) {
  switch (method) {
    case CalibrationMethod::minmax: return compress::RangeMethod::minmax;
    case CalibrationMethod::percentile: return compress::RangeMethod::percentile;
    case CalibrationMethod::mse: return compress::RangeMethod::mse;
    case CalibrationMethod::kl: return compress::RangeMethod::kl;
  }
  return compress::RangeMethod::minmax;
}

}  // namespace

compress::QuantizerSettings quantizer_settings(const QuantizeSpec& spec) {
  compress::QuantizerSettings settings;
  settings.ranges = {method_of(spec.calibration.method), spec.calibration.percentile, spec.scheme == Scheme::symmetric};
  settings.weight_bits = spec.weights == WeightBits::int4 ? 4 : 8;
  settings.per_channel = spec.per_channel;
  settings.keep = spec.keep_fp32;
  settings.correct_bias = spec.correct_bias;
  return settings;
}

JobSpec job_of_quantizing(const JobSpec& spec) {
  JobSpec job = spec;
  job.train = spec.quantize->qat.value_or(TrainSpec{});
  if (spec.quantize->validate) job.train->validate = spec.quantize->validate;
  return job;
}

std::vector<SpecProblem> problems_of_quantizing(const JobSpec& spec) {
  if (!spec.quantize) return {{"quantize is missing", "say quantize: {weights: int8}, or more: docs/jobs.md"}};
  std::vector<SpecProblem> problems;
  const QuantizeSpec& quantize = *spec.quantize;
  if (quantize.qat) {
    const TrainSpec& qat = *quantize.qat;
    if (qat.validate && quantize.validate) problems.push_back({"quantize.validate and quantize.qat.validate say the same", "leave one out"});
    if (qat.trainable.what == Trainable::lora) problems.push_back({"adapters can't be trained beside integers", "say qat: {trainable: all}"});
    if (qat.search) problems.push_back({"quantize.qat.search: the search is quantize.search", "move it there"});
    if (qat.reset) problems.push_back({"quantize.qat.reset would draw anew what was quantized", "leave it out"});
    if (spec.precision == Precision::bf16) problems.push_back({"quantization-aware training is in fp32: bf16 has fewer digits than the integers", "leave out precision"});
  }
  if (spec.precision == Precision::bf16) problems.push_back({"task: quantize ends in integers", "leave out precision, or say precision: mixed for bf16 where it leaves floats"});
  return problems;
}

}  // namespace edgelab::tasks
