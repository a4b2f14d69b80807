#pragma once

#include <string>

#include "results/job_record.hpp"

namespace edgelab::results::report {

// The run as one HTML page that needs nothing else: no script, no font, no network. Light or dark as the reader's system is.
std::string html_report(const RunRecord& run, const std::string& title);

}  // namespace edgelab::results::report
