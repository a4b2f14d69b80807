// edgelab with one kernel that somebody made slower: every run of Highway's small matrix product, which most linear layers and
// convolutions are written on, takes SLOWER_BY per cent longer, on one thread or several. For compare_calls_regressions.py.
//
// tile_gemm::make_simd makes these kernels; the linker leads calls of it here (--wrap in CMakeLists.txt).
#include <chrono>
#include <cstdlib>
#include <memory>
#include <utility>

#include "app/commands.hpp"
#include "kernels/tile_gemm/implementations.hpp"
#include "tasks/task.hpp"

namespace edgelab::kernels::tile_gemm {

Kernel real_make_simd(const Settings& settings) asm("__real_" MAKE_SIMD);
Kernel slower_make_simd(const Settings& settings) asm("__wrap_" MAKE_SIMD);

namespace {

using Clock = std::chrono::steady_clock;

double share() {
  static const double slower_by = [] {
    const char* percent = std::getenv("SLOWER_BY");
    return percent == nullptr ? 0.0 : std::atof(percent) / 100;
  }();
  return slower_by;
}

void pack(const void* state, const PlainB& b, void* packed) noexcept { static_cast<const Kernel*>(state)->pack(b, packed); }

void run(const void* state, const Arguments& arguments) noexcept {
  const Clock::time_point began = Clock::now();
  static_cast<const Kernel*>(state)->run(arguments);
  const auto until = Clock::now() + std::chrono::duration_cast<Clock::duration>((Clock::now() - began) * share());
  while (Clock::now() < until) {
  }
}

}  // namespace

Kernel slower_make_simd(const Settings& settings) {
  auto kernel = std::make_shared<const Kernel>(real_make_simd(settings));
  const std::size_t packed = kernel->packed_bytes(), scratch = kernel->scratch_bytes();
  return Kernel({run, pack}, std::move(kernel), packed, scratch);
}

}  // namespace edgelab::kernels::tile_gemm

int main(int argc, char** argv) { return edgelab::app::run_commands(argc, argv, edgelab::tasks::run_task); }
