#include "core/parallel_region.hpp"

#include <omp.h>

#include <atomic>

namespace edgelab::detail {

#ifdef __SANITIZE_THREAD__
namespace {

// ThreadSanitizer knows nothing of libgomp's own synchronisation; these edges it sees. What the region itself reads of its
// arguments comes before the first edge: .ci/tsan.txt leaves that one function out.
std::atomic<unsigned> g_begun{0}, g_ended{0};

void publish(std::atomic<unsigned>& edge) { edge.fetch_add(1, std::memory_order_release); }
void observe(std::atomic<unsigned>& edge) { edge.load(std::memory_order_acquire); }

}  // namespace
#define EDGELAB_EDGE(call) call
#else
#define EDGELAB_EDGE(call)
#endif

void run_region(int threads, RegionFunction function, const void* work) {
  EDGELAB_EDGE(publish(g_begun));
#pragma omp parallel num_threads(threads)
  {
    EDGELAB_EDGE(observe(g_begun));
    function(work, omp_get_thread_num(), omp_get_num_threads());
    EDGELAB_EDGE(publish(g_ended));
  }
  EDGELAB_EDGE(observe(g_ended));
}

#undef EDGELAB_EDGE

}  // namespace edgelab::detail
