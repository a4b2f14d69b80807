// To be preloaded into edgelab by compare_calls_regressions.py, never linked: every OpenMP region, that is, the kernels of a
// call and nothing else of it, takes SLOWER_BY per cent longer. It stands in for a kernel that somebody made slower.
#include <dlfcn.h>

#include <chrono>
#include <cstdlib>

namespace {

using Clock = std::chrono::steady_clock;
using Region = void (*)(void (*)(void*), void*, unsigned, unsigned);

Region libgomp() {
  static const auto region = reinterpret_cast<Region>(dlsym(RTLD_NEXT, "GOMP_parallel"));
  if (region == nullptr) std::abort();
  return region;
}

double share() {
  static const double slower_by = [] {
    const char* percent = std::getenv("SLOWER_BY");
    return percent == nullptr ? 0.0 : std::atof(percent) / 100;
  }();
  return slower_by;
}

}  // namespace

// libgomp's entry to a region (GCC's ABI of OpenMP).
extern "C" void GOMP_parallel(void (*function)(void*), void* data, unsigned threads, unsigned flags) {
  const Clock::time_point begin = Clock::now();
  libgomp()(function, data, threads, flags);
  const auto until = Clock::now() + std::chrono::duration_cast<Clock::duration>((Clock::now() - begin) * share());
  while (Clock::now() < until) {
  }
}
