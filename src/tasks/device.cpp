#include "tasks/device.hpp"

#include <vector>

#include "kernels/cuda/backend.hpp"
#include "kernels/cuda/devices.hpp"
#include "tasks/split/layout.hpp"
#include "tasks/task.hpp"

namespace edgelab::tasks {
namespace {

namespace cuda = kernels::cuda;

// Of what a job asks for, what the device side lacks; empty if nothing.
std::string cuda_lacks(const JobSpec& spec) {
  if (spec.task == Task::train || spec.task == Task::prune || spec.task == Task::quantize) return "training: its backward kernels are not there yet";
  if (spec.precision == Precision::int8 || spec.precision == Precision::mixed) return "integers: their kernels are not there yet";
  if (spec.attention == Attention::naive) return "attention: naive: FlashAttention alone is there";
  if (splits_model(spec)) return "a model that is split over ranks: messages between devices are not there yet";
  return "";
}

// Why the job can't be on a CUDA device; empty if it can.
std::string why_not_cuda(const JobSpec& spec) {
  const cuda::Devices& devices = cuda::devices();
  if (devices.found.empty()) return "no CUDA device: " + devices.none;
  const std::string lack = cuda_lacks(spec);
  return lack.empty() ? "" : "CUDA devices don't do " + lack;
}

// Why the job can't be on a device of this kind; nothing if it can.
std::optional<Error> refusal(const JobSpec& spec, Device device) {
  const std::string job = "job " + spec.id + ": ";
  if (device == Device::cpu) {
    if (spec.precision != Precision::tf32 || spec.device.size() > 1) return std::nullopt;
    return Error(ErrorKind::usage, job + "precision: tf32 is of CUDA devices").at(spec.place).hint("say precision: fp32, or device: [cuda, cpu], where the CPU computes in fp32");
  }
  const std::string why = why_not_cuda(spec);
  if (why.empty()) return std::nullopt;
  const cuda::Devices& devices = cuda::devices();
  if (devices.found.empty()) {
    return Error(ErrorKind::environment, job + why).at(spec.place).hint(devices.hint + "; device: [cuda, cpu] takes the CPU where there is no CUDA device");
  }
  return Error(ErrorKind::usage, job + why).at(spec.place).hint("say device: cpu, or device: [cuda, cpu] to take the CPU for it");
}

std::string shared_with(int index, int ranks, int devices) {
  std::string others;
  for (const int rank : cuda::ranks_of_device(index, ranks, devices)) {
    if (rank != index) others += (others.empty() ? ", shared with the host's ranks " : ", ") + std::to_string(rank);
  }
  return others;
}

}  // namespace

std::optional<Error> problem_of_device(const JobSpec& spec) {
  std::optional<Error> first;
  for (const Device device : spec.device) {
    std::optional<Error> problem = refusal(spec, device);
    if (!problem) return std::nullopt;
    if (!first) first = std::move(problem);
  }
  return first;
}

ChosenDevice chosen_device(const JobSpec& spec) {
  std::string note;
  for (const Device device : spec.device) {
    if (!refusal(spec, device)) {
      const bool wider = device == Device::cpu && spec.precision == Precision::tf32;
      return {device, note + (wider ? "; the CPU computes in fp32, not tf32" : "")};
    }
    if (device == Device::cuda) note += (note.empty() ? "" : "; ") + why_not_cuda(spec);
  }
  throw *problem_of_device(spec);
}

void take_device(JobSpec& spec, TaskContext& context) {
  const ChosenDevice chosen = chosen_device(spec);
  spec.device = {chosen.kind};
  context.device_note = chosen.note;
  context.device = "cpu";
  if (chosen.kind == Device::cpu) return;
  const auto& found = cuda::devices().found;
  const int count = static_cast<int>(found.size());
  const int index = cuda::device_of_rank(context.index_on_host, count);
  context.device = "cuda " + std::to_string(index) + ": " + cuda::described(found[static_cast<std::size_t>(index)]) +
                   shared_with(context.index_on_host, context.ranks_on_host, count);
  cuda::backend().use_device(index);
}

}  // namespace edgelab::tasks
