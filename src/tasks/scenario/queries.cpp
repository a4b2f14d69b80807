#include "tasks/scenario/queries.hpp"

#include <algorithm>
#include <cmath>

namespace edgelab::tasks {
namespace {

void timed_call(const Subject& subject, std::span<const std::int64_t> samples, const Timer& timer, QueryLog& log) {
  const std::int64_t before = timer.now();
  subject.call(samples);
  log.call_ns.push_back(timer.now() - before);
  log.samples += static_cast<std::int64_t>(samples.size());
}

}  // namespace

QueryLog ask_one_by_one(const Subject& subject, int samples_per_query, const Extent& extent, SampleDraw draw,
                        const Timer& timer, const Told& told) {
  QueryLog log;
  std::vector<std::int64_t> query(static_cast<std::size_t>(samples_per_query));
  const std::int64_t began = timer.now();
  while (!extent.reached(static_cast<std::int64_t>(log.latency_ns.size()), log.duration_ns)) {
    draw.fill(query);
    const std::int64_t arrived = timer.now();
    for (std::span<const std::int64_t> rest(query); !rest.empty();) {
      const std::size_t count = std::min(rest.size(), static_cast<std::size_t>(subject.batch));
      timed_call(subject, rest.first(count), timer, log);
      rest = rest.subspan(count);
    }
    const std::int64_t answered = timer.now();
    log.latency_ns.push_back(answered - arrived);
    log.duration_ns = answered - began;
    told(static_cast<std::int64_t>(log.latency_ns.size()), log.duration_ns);
  }
  return log;
}

QueryLog ask_at_once(const Subject& subject, const Extent& extent, SampleDraw draw, const Timer& timer,
                     const Told& told) {
  QueryLog log;
  std::vector<std::int64_t> samples(static_cast<std::size_t>(subject.batch));
  const std::int64_t began = timer.now();
  while (!extent.reached(log.samples, log.duration_ns)) {
    draw.fill(samples);
    timed_call(subject, samples, timer, log);
    log.duration_ns = timer.now() - began;
    told(log.samples, log.duration_ns);
  }
  return log;
}

std::vector<std::int64_t> poisson_arrivals(double queries_per_second, std::int64_t count, std::uint64_t seed) {
  CounterRandom random(stream_key(seed, "arrivals"));
  std::vector<std::int64_t> arrivals;
  double time_ns = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const double uniform = (static_cast<double>(random.next_bits() >> 11) + 0.5) * 0x1p-53;  // (0, 1)
    time_ns -= std::log(uniform) * 1e9 / queries_per_second;
    arrivals.push_back(static_cast<std::int64_t>(time_ns));
  }
  return arrivals;
}

QueryLog ask_on_arrival(const Subject& subject, std::span<const std::int64_t> arrivals_ns, const GivingUp& giving_up,
                        SampleDraw draw, const Timer& timer, const Told& told) {
  QueryLog log;
  std::vector<std::int64_t> samples;
  std::int64_t late = 0;
  const std::int64_t began = timer.now();
  for (std::size_t next = 0;
       next < arrivals_ns.size() && late <= giving_up.most_late && log.duration_ns < giving_up.max_duration_ns;) {
    if (timer.now() < began + arrivals_ns[next]) timer.wait_until(began + arrivals_ns[next]);
    const std::int64_t now = timer.now() - began;
    std::size_t count = 1;  // a timer that is early by a tick must not stop it
    while (count < static_cast<std::size_t>(subject.batch) && next + count < arrivals_ns.size() &&
           arrivals_ns[next + count] <= now)
      ++count;
    samples.resize(count);
    draw.fill(samples);
    timed_call(subject, samples, timer, log);
    const std::int64_t answered = timer.now() - began;
    for (std::size_t i = next; i < next + count; ++i) {
      log.latency_ns.push_back(answered - arrivals_ns[i]);
      if (log.latency_ns.back() > giving_up.bound_ns) ++late;
    }
    next += count;
    log.duration_ns = answered - arrivals_ns.front();
    told(static_cast<std::int64_t>(next), log.duration_ns);
  }
  return log;
}

}  // namespace edgelab::tasks
