#pragma once

#include <optional>
#include <string>

#include "core/error.hpp"
#include "tasks/job_spec.hpp"

namespace edgelab::tasks {

struct TaskContext;

// What a job computes on: the first of the devices that it names which this process has and which can do the job.
struct ChosenDevice {
  Device kind = Device::cpu;
  std::string note;  // why not on those named before; empty where it is the first
};

// Throws Error as problem_of_device() gives.
ChosenDevice chosen_device(const JobSpec& spec);

// Nothing if one of the job's devices will do. Else an Error: environment if there is no CUDA device, usage if there is one
// that can't do what the job asks for.
std::optional<Error> problem_of_device(const JobSpec& spec);

// Chooses for this rank: leaves the one device in `spec`, says in `context` which it is and why, and makes it the calling
// thread's. Throws Error as problem_of_device() gives.
void take_device(JobSpec& spec, TaskContext& context);

}  // namespace edgelab::tasks
