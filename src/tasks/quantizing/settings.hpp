#pragma once

#include "compress/quantize/quantizer.hpp"
#include "tasks/job_spec.hpp"
#include "tasks/spec_problem.hpp"

// The translation of a job's `quantize` into what src/compress wants.
namespace edgelab::tasks {

compress::QuantizerSettings quantizer_settings(const QuantizeSpec& spec);

// The same job as its parts see it: `train` is `qat`, or nothing but what is held out.
JobSpec job_of_quantizing(const JobSpec& spec);

// What in a job's `quantize` does not go together.
std::vector<SpecProblem> problems_of_quantizing(const JobSpec& spec);

}  // namespace edgelab::tasks
