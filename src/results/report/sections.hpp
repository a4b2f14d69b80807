#pragma once

#include <string>
#include <vector>

#include "results/compare/comparison.hpp"

// The parts of the report, one file each. Each gives HTML, or nothing where the run has nothing of the kind.
namespace edgelab::results::report {

std::string summary_section(const RunRecord& run);
std::string expectations_section(const RunRecord& run);
std::string scenario_section(const RunRecord& run);  // how queries arrived, and whether that is valid
std::string pareto_section(const std::vector<Side>& sides);  // accuracy against latency, and who is beaten by none
std::string latency_section(const RunRecord& run);           // all jobs on one scale, and a histogram of each
std::string confusion_section(const RunRecord& run);         // what was taken for what, and the surest mistakes
std::string layers_section(const RunRecord& run);            // time by layer; asked for, got and why
std::string roofline_section(const RunRecord& run);
std::string training_section(const RunRecord& run);
std::string sensitivity_section(const RunRecord& run);  // what each layer alone costs, left out in part or in integers
std::string trials_section(const RunRecord& run);       // what searches tried, and what they took
std::string timeline_section(const RunRecord& run);     // jobs over ranks, as they ran
std::string ranks_section(const RunRecord& run);        // where the time of each rank went
std::string spans_section(const RunRecord& run);        // of split models: which rank computed, sent and waited when
std::string forecast_section(const RunRecord& run);     // of split models: predicted beside measured
std::string telemetry_section(const RunRecord& run);
std::string hosts_section(const RunRecord& run);
std::string provenance_section(const RunRecord& run);

std::string comparison_section(const std::vector<Side>& sides);  // those after the first against the first

}  // namespace edgelab::results::report
