#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "batch/supervisor/blame.hpp"

namespace edgelab::batch {

struct Launch {
  std::vector<std::string> arguments;            // of mpirun
  std::map<std::string, std::string> variables;  // for it
  std::string mark;                              // of the guards' reports
  bool survives = false;                         // ranks outlive each other: mpirun goes on when one ends, be it rank 0
  std::function<bool()> began;                   // whether rank 0 leads; only asked where ranks outlive each other
  std::function<void(const RankEnd&)> rank_ended;  // called for each report as it comes; may be empty
  std::chrono::nanoseconds grace{};              // that the guards give
  std::function<std::string()> turn;             // every 100 ms; why the run must be killed, or nothing
};

struct LaunchEnd {
  MpirunEnd mpirun;
  int signal = 0;          // that came to us and was passed on, or 0
  std::string paragraphs;  // what mpirun itself had to say
  std::string killed;      // why it had to be, or empty
};

// Runs mpirun to its end; blocks. `pass_on` gets the ranks' output as it comes. A signal that batch::SignalWatch has seen,
// whose object must live, is passed on as an order to the guards (guard.hpp), which end their ranks within the grace time;
// a run that is not over soon after is killed.
LaunchEnd run_mpirun(const Launch& launch, const std::function<void(std::string_view)>& pass_on);

}  // namespace edgelab::batch
