#pragma once

#include <concepts>
#include <functional>
#include <utility>

#include "core/thread_team.hpp"

namespace edgelab::kernels {

// Runs one op on memory fixed before. Allocates nothing, throws nothing, and the result is there when it has returned.
//
// A step of the first kind has the threads to itself: it is called once, and may open parallel regions (parallel_for,
// oneDNN's primitives). A step of the second kind is called by every member of the team at once, does its part, and may
// use the team's barrier; the one who runs it puts a barrier behind it. Never both.
class Step {
 public:
  Step() = default;
  template <std::invocable<> Function> Step(Function function) : alone_(std::move(function)) {}  // NOLINT: implicit by design
  template <std::invocable<const Member&> Function> Step(Function function) : together_(std::move(function)) {}  // NOLINT

  bool by_team() const { return together_ != nullptr; }
  // The share of one member of a step by the team.
  void run_part(const Member& member) const { together_(member); }
  // The whole step, whatever its kind; on this thread alone unless it opens regions of its own.
  void operator()() const {
    if (by_team()) return together_(Member(0, nullptr));
    alone_();
  }
  // The whole step.
  void run(ThreadTeam& team) const {
    if (!by_team()) return alone_();
    team.run([this](const Member& member) { together_(member); });
  }

 private:
  std::function<void()> alone_;
  std::function<void(const Member&)> together_;
};

}  // namespace edgelab::kernels
