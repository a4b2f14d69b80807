#pragma once

#include <string>

#include "results/job_record.hpp"

// The parts of the report, one file each. Each gives HTML, or nothing where the run has nothing of the kind.
namespace edgelab::results::report {

std::string summary_section(const RunRecord& run);
std::string expectations_section(const RunRecord& run);
std::string training_section(const RunRecord& run);  // a curve a job, inline SVG, and the table behind it
std::string sensitivity_section(const RunRecord& run);  // what each layer alone costs, inline SVG, and the table behind it
std::string latency_section(const RunRecord& run);  // a histogram a job, inline SVG
std::string layers_section(const RunRecord& run);   // the slowest 15 of each job
std::string ranks_section(const RunRecord& run);    // where the time of each rank went
std::string hosts_section(const RunRecord& run);
std::string provenance_section(const RunRecord& run);

}  // namespace edgelab::results::report
